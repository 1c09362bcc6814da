"""Names of the training pipeline's steps."""

from __future__ import annotations

from contract.names.jobs import Job

JOBS = (Job.VALIDATE, Job.PREPARE, Job.TRAIN, Job.EVALUATE)
"""The jobs of the pipeline, which are the commands of the image. Each has a role of its own."""

TUNE = "tune"
"""The search for parameters, where there is one: a tuning job, which has a role of its own, too."""
TUNING_JOBS = f"*-{TUNE}-*"
"""The pattern of its jobs' names. Of a name of 32 characters SageMaker needs 12 for the execution and 10 for
chance: nothing in it says `pipelines`."""
