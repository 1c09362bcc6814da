"""What the project is built and tested with."""
