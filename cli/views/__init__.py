"""The views that commands show."""
