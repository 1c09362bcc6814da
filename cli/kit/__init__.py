"""The basics of every command: options, paths, errors, settings."""
