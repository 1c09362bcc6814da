"""What a model's data and answers look like, and when they differ."""
