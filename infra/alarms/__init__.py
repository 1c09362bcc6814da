"""What is worth a page, and who is told."""
