"""What was given up on, and how it is done again."""
