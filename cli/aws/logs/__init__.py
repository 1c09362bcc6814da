"""Log lines, and where they come from."""
