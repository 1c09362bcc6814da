"""Lambda entry point: SQS messages about new results in, the ones to deliver again out."""

import os
from typing import Any

from adapters.buckets import S3Bucket
from adapters.observability import observed
from lambdas.collect_predictions.logic import collect
from lambdas.collect_predictions.settings import Settings


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    settings = Settings.from_environ(os.environ)
    return collect(event["Records"], S3Bucket(settings.artifacts_bucket))
