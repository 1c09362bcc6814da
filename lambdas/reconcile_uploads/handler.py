"""Lambda entry point: called on a schedule, whose event says nothing."""

import os
import time
from typing import Any

from adapters.buckets import S3Bucket
from adapters.observability import EmbeddedMetrics, observed
from adapters.queues import SqsQueue
from adapters.state_machines import StandardStateMachine
from lambdas.reconcile_uploads.logic import Reconciler, reconcile
from lambdas.reconcile_uploads.settings import Settings


@observed
def handler(_event: dict[str, Any], context: Any) -> dict[str, Any]:
    settings = Settings.from_environ(os.environ)
    reconciler = Reconciler(
        data=S3Bucket(settings.data_bucket),
        results=S3Bucket(settings.results_bucket),
        artifacts=S3Bucket(settings.artifacts_bucket),
        queue=SqsQueue(settings.queue_url),
        batches=StandardStateMachine(settings.batch_state_machine),
        metrics=EmbeddedMetrics(settings.environment, settings.model),
        after_seconds=settings.after_seconds,
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
        now=time.time,
    )
    return reconcile(reconciler)
