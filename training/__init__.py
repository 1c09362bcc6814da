"""What makes a model: one module a job in `jobs/`, and what each of them uses.

Nothing here talks to AWS. A job reads files and writes files; where they lie is
decided in `container.paths` alone, so a plain process in a folder runs the same job.
"""
