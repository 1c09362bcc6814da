"""What is kept of rows while a dataset is read once: repeats, a sample, times."""
