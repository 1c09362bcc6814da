"""What constructs of every capability are made of."""
