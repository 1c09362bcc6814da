"""What starts training, the pipeline, and what tells of failed runs."""
