"""The rows of a run: the dataset's table, what is held out, and the live model."""
