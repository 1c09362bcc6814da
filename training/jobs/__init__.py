"""The jobs of the training pipeline, one module each."""
