"""The model server: SageMaker's /ping and /invocations."""
