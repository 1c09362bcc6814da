"""Lambda entry point: the release state machine's first step."""

import os
from typing import Any

from adapters.buckets import S3Bucket
from adapters.observability import observed
from adapters.sagemaker import ModelRegistry
from contract.layout import resource_name
from lambdas.verify_package.logic import Verifier, verify_package
from lambdas.verify_package.settings import Settings


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    settings = Settings.from_environ(os.environ)
    verifier = Verifier(
        registry=ModelRegistry(),
        artifacts=S3Bucket(settings.artifacts_bucket),
        group=resource_name(settings.environment, settings.model),
    )
    return verify_package(event, verifier)
