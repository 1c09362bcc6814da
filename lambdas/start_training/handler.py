"""Lambda entry point: SQS messages about training data, or a person's request for a run."""

import os
from pathlib import Path
from typing import Any

from lambdas.adapters.buckets import S3Bucket
from lambdas.adapters.observability import observed
from lambdas.adapters.sagemaker import TrainingPipeline
from lambdas.start_training.logic import Trainer, handle
from lambdas.start_training.settings import Settings


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    settings = Settings.from_environ(os.environ)
    trainer = Trainer(
        data=S3Bucket(settings.data_bucket),
        artifacts=S3Bucket(settings.artifacts_bucket),
        pipeline=TrainingPipeline(settings.pipeline),
        code_digest=settings.code_digest,
        contract=Path(os.environ["LAMBDA_TASK_ROOT"], "contract.json").read_bytes(),
    )
    return handle(event, trainer)
