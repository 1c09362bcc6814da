"""The distributions of a model's data and predictions, and their changes."""
