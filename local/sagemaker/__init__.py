"""The SageMaker service of the local cloud: it executes what it is asked for, and says what it cannot do."""
