"""Lambda entry point: SQS messages about uploads in, the ones to deliver again out."""

import os
import time
from pathlib import Path
from typing import Any

from adapters.buckets import S3Bucket
from adapters.observability import EmbeddedMetrics, observed
from adapters.queues import SqsQueue
from adapters.sagemaker import Endpoint
from adapters.state_machines import StandardStateMachine
from contract.layout import CONTRACT_FILE
from contract.schema import Contract
from lambdas.score_upload.logic import Scorer, score_messages
from lambdas.score_upload.settings import Settings


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = Settings.from_environ(os.environ)
    contract = Contract.from_json(Path(os.environ["LAMBDA_TASK_ROOT"], CONTRACT_FILE).read_bytes())
    scorer = Scorer(
        open_bucket=S3Bucket,
        results=S3Bucket(settings.results_bucket),
        artifacts=S3Bucket(settings.artifacts_bucket),
        batches=StandardStateMachine(settings.batch_state_machine),
        model=Endpoint(settings.endpoint, settings.max_request_bytes),
        queue=SqsQueue(settings.queue_url),
        metrics=EmbeddedMetrics(settings.environment, settings.model),
        settings=settings,
        features=contract.feature_names,
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
        sleep=time.sleep,
    )
    return score_messages(event["Records"], scorer)
