"""What every command needs: options, paths, errors, settings."""
