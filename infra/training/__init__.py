"""Training: its start, the pipeline, and the reports of failed runs."""
