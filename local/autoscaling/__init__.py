"""Application Auto Scaling for the variants of SageMaker endpoints: target tracking that really scales."""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.core import router
from ministack.core.concurrency import run_reentrant
from ministack.core.router import extract_access_key_id

from local.autoscaling.operations import AutoScaling
from local.autoscaling.scaler import Scaler
from local.autoscaling.targets import Targets
from local.cloud.seam import Cloud
from local.sagemaker.service import Response

NAME = "application-autoscaling"


def install(cloud: Cloud) -> None:
    """Register the service with ministack, and begin to look at what it is to scale."""
    targets = Targets()
    service = AutoScaling(cloud, targets)
    Scaler(cloud, targets).start()

    async def handle(
        _method: str, _path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        access_key = extract_access_key_id(headers, query)
        response: Response = await run_reentrant(service.respond, operation, body, access_key)
        return response

    app.SERVICE_REGISTRY[NAME] = {"module": NAME}
    app.SERVICE_HANDLERS[NAME] = handle
    router.SERVICE_PATTERNS[NAME] = {
        "target_prefixes": ["AnyScaleFrontendService."],
        "credential_scope": NAME,
        "host_patterns": [],
    }
