"""Dead letters, and the ways in which they are done again."""
