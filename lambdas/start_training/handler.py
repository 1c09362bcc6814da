"""Lambda entry point: SQS messages about training data, or a person's request for a run."""

import os
import time
from pathlib import Path
from typing import Any

from adapters.buckets import S3Bucket
from adapters.observability import observed
from adapters.parameters import SsmParameter
from adapters.queues import SqsQueue
from adapters.sagemaker import ModelRegistry, TrainingPipeline
from contract.layout import CONTRACT_FILE, GATES_FILE, live_parameter, resource_name
from lambdas.start_training.champion import Champions
from lambdas.start_training.debounce import Debounce
from lambdas.start_training.logic import Trainer, handle
from lambdas.start_training.settings import Settings


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    settings = Settings.from_environ(os.environ)
    artifacts = S3Bucket(settings.artifacts_bucket)
    live = SsmParameter(live_parameter(settings.environment, settings.model))
    registry = ModelRegistry()
    task_root = Path(os.environ["LAMBDA_TASK_ROOT"])
    trainer = Trainer(
        data=S3Bucket(settings.data_bucket),
        artifacts=artifacts,
        pipeline=TrainingPipeline(settings.pipeline),
        champions=Champions(live=live, registry=registry, artifacts=artifacts),
        quiet=Debounce(
            seconds=settings.quiet_seconds,
            longest_seconds=settings.longest_wait_seconds,
            queue=SqsQueue(settings.queue_url),
            now=time.time,
        ),
        catalogue=registry,
        package_group=resource_name(settings.environment, settings.model),
        code_digest=settings.code_digest,
        contract=(task_root / CONTRACT_FILE).read_bytes(),
        gates=(task_root / GATES_FILE).read_bytes(),
    )
    return handle(event, trainer)
