"""Stops the SageMaker jobs of an execution that ended without them."""
