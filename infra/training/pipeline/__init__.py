"""The SageMaker pipeline: its definition, and the check that the definition is one."""
