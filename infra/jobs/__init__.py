"""SageMaker jobs that a state machine started."""
