"""What runs in SageMaker: one module a job, the model server, and one entry point.

Nothing here talks to AWS. A job reads files and writes files; where they lie is
decided in `training.paths` alone, so a plain process in a folder runs the same job.
"""
