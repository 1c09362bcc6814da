"""AWS, the environment and the log, under the verbs of this project's domain."""
