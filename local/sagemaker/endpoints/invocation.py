"""One request to one model server: measured, and captured where the endpoint's configuration says so."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3

from local.cloud.seam import Cloud
from local.sagemaker.endpoints import metrics
from local.sagemaker.endpoints.capture import Exchange
from local.sagemaker.endpoints.fleet import Fleet
from local.sagemaker.endpoints.server import ModelServer, UnhealthyError
from local.sagemaker.endpoints.variant import Variant

logger = logging.getLogger(__name__)

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
PASSED_ON = ("Content-Type", "Accept", ATTRIBUTES, INFERENCE_ID)
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency "
    "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client sends: the body and the headers that reach the model."""

    endpoint: str
    headers: Mapping[str, str]
    body: bytes
    received: float
    """When, by `time.perf_counter`."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The model's answer is an error, or there is none (status 0)."""

    status: int
    text: str


def invoke(
    cloud: Cloud, request: Request, fleet: Fleet, variant: Variant, server: ModelServer
) -> urllib3.BaseHTTPResponse | Failure:
    """Send a request to a server that was acquired for it."""
    try:
        setup = server.wake()
    except UnhealthyError as error:
        return Failure(status=0, text=str(error))
    if setup:
        metrics.put(cloud, request.endpoint, fleet, variant, [metrics.setup(setup)])
    called = time.perf_counter()
    answer, message = _send(server, request)
    latency = time.perf_counter() - called
    status = answer.status if answer is not None else 0
    overhead = time.perf_counter() - request.received - latency
    points = metrics.invocation(variant, status, latency, overhead)
    metrics.put(cloud, request.endpoint, fleet, variant, points)
    if answer is None or status >= 400:
        text = answer.data.decode(errors="replace") if answer is not None else message
        return Failure(status=status, text=text)
    server.keep(
        Exchange(
            request_type=request.headers.get("Content-Type"),
            request=request.body,
            answer_type=answer.headers.get("Content-Type"),
            answer=answer.data,
            inference_id=request.headers.get(INFERENCE_ID),
            attributes=request.headers.get(ATTRIBUTES),
        )
    )
    return answer


def mirror(cloud: Cloud, request: Request, fleet: Fleet) -> None:
    """Send a copy of a request to the shadow variant, where it is in the shadow variant's sample.

    Nobody waits for its answer, and its failures show in its own metrics alone. To be called while a server
    of the production variant is acquired, so that the fleet is not being stopped.
    """
    shadow, server = fleet.shadow, fleet.shadow_server()
    if shadow is None or server is None:
        return

    def send() -> None:
        try:
            invoke(cloud, request, fleet, shadow, server)
        finally:
            server.release()

    server.acquire()
    with contextlib.suppress(RuntimeError):  # the endpoint is being deleted
        fleet.mirror.submit(send)


def _send(server: ModelServer, request: Request) -> tuple[urllib3.BaseHTTPResponse | None, str]:
    """The answer, or None and why there is none."""
    try:
        return server.invoke(request.body, request.headers), ""
    except urllib3.exceptions.TimeoutError:
        return None, _TIMED_OUT
    except urllib3.exceptions.HTTPError as error:
        logger.warning("endpoint %s: %s", request.endpoint, error)
        return None, "Container primary closed the connection without an answer."
