"""AWS on a laptop: the emulator's launcher, and what it needs to behave as AWS does."""
