"""InvokeEndpoint: the request goes to a model server, what comes back is told as AWS tells it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import urllib3
from ministack.core.concurrency import run_reentrant

from local.cloud.seam import Cloud
from local.sagemaker.endpoints.capture import Exchange
from local.sagemaker.endpoints.fleet import Variant
from local.sagemaker.endpoints.operations import Endpoints
from local.sagemaker.endpoints.server import ModelServer, UnhealthyError
from local.sagemaker.errors import ServiceError, not_implemented
from local.sagemaker.service import Response

logger = logging.getLogger(__name__)

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
_TARGET_VARIANT = "x-amzn-sagemaker-target-variant"
_NOT_DONE = {
    f"x-amzn-sagemaker-{member}"
    for member in (
        "target-model",
        "target-container-hostname",
        "enable-explanations",
        "inference-component",
        "session-id",
        "prefix-aware-id",
    )
}
_PASSED_ON = ("Content-Type", "Accept", ATTRIBUTES, INFERENCE_ID)
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency "
    "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


class Runtime:
    """The sagemaker-runtime service."""

    def __init__(self, cloud: Cloud, endpoints: Endpoints) -> None:
        self._cloud = cloud
        self._endpoints = endpoints

    async def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer a request under /endpoints/. Waiting for the model is done on a thread."""
        response: Response = await run_reentrant(self._respond, method, path, headers, body)
        return response

    def _respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            endpoint, _, action = path.removeprefix("/endpoints/").partition("/")
            if method != "POST" or action != "invocations":
                raise not_implemented(f"SageMaker Runtime {method} {path}")
            if asked := sorted(_NOT_DONE & headers.keys()):
                raise not_implemented(f"InvokeEndpoint with the header {asked[0]}")
            return self._invoke(unquote(endpoint), headers, body)
        except ServiceError as error:
            return _refusal(error.status, error.code, {"message": error.message})

    def _invoke(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> Response:
        started = time.perf_counter()
        with self._endpoints.server(endpoint, headers.get(_TARGET_VARIANT)) as (server, variant):
            if len(body) > server.max_body_bytes:
                message = f"HTTP content length exceeded {server.max_body_bytes} bytes."
                return 413, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()
            return self._ask(endpoint, server, variant, headers, body, started)

    def _ask(
        self,
        endpoint: str,
        server: ModelServer,
        variant: Variant,
        headers: Mapping[str, str],
        body: bytes,
        started: float,
    ) -> Response:
        passed = {name: headers[name.lower()] for name in _PASSED_ON if name.lower() in headers}
        status, message = 0, _TIMED_OUT
        try:
            setup = server.wake()
        except UnhealthyError as error:
            return self._model_error(server, 0, str(error))
        if setup:
            self._measure_setup(endpoint, variant, setup)
        called = time.perf_counter()
        try:
            answer = server.invoke(body, passed)
            status = answer.status
        except urllib3.exceptions.TimeoutError:
            answer = None
        except urllib3.exceptions.HTTPError as error:
            logger.warning("endpoint %s: %s", endpoint, error)
            answer, message = None, "Container primary closed the connection without an answer."
        latency = time.perf_counter() - called
        self._measure(endpoint, variant, status, latency, time.perf_counter() - started - latency)
        if answer is None or status >= 400:
            text = answer.data.decode(errors="replace") if answer is not None else message
            return self._model_error(server, status, text)
        server.keep(
            Exchange(
                request_type=passed.get("Content-Type"),
                request=body,
                answer_type=answer.headers.get("Content-Type"),
                answer=answer.data,
                inference_id=passed.get(INFERENCE_ID),
                attributes=passed.get(ATTRIBUTES),
            )
        )
        return status, _answer_headers(server, answer), answer.data

    def _model_error(self, server: ModelServer, status: int, text: str) -> Response:
        region, account = self._cloud.region, self._cloud.account
        whose = "client" if 400 <= status < 500 else "server"
        return _refusal(
            424,
            "ModelError",
            {
                "Message": f'Received {whose} error ({status}) from primary with message "{text}". See '
                f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group="
                f"{server.log_group} in account {account} for more information.",
                "OriginalStatusCode": status,
                "OriginalMessage": text,
                "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{server.log_group}:"
                f"log-stream:{server.log_stream}",
            },
        )

    def _measure_setup(self, endpoint: str, variant: Variant, seconds: float) -> None:
        dimensions = {"EndpointName": endpoint, "VariantName": variant.settings["VariantName"]}
        self._cloud.put_metric("AWS/SageMaker", "ModelSetupTime", seconds * 1e6, "Microseconds", dimensions)

    def _measure(self, endpoint: str, variant: Variant, status: int, latency: float, overhead: float) -> None:
        dimensions = {"EndpointName": endpoint, "VariantName": variant.settings["VariantName"]}
        points = [
            ("Invocations", 1.0, "Count"),
            ("Invocation4XXErrors", float(400 <= status < 500), "Count"),
            ("Invocation5XXErrors", float(status == 0 or status >= 500), "Count"),
            ("ModelLatency", latency * 1e6, "Microseconds"),
            ("OverheadLatency", overhead * 1e6, "Microseconds"),
        ]
        if not variant.serverless:
            points.append(("InvocationsPerInstance", 1.0 / max(1, len(variant.servers)), "None"))
        for name, value, unit in points:
            self._cloud.put_metric("AWS/SageMaker", name, value, unit, dimensions)


def _answer_headers(server: ModelServer, answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    headers = {
        "Content-Type": answer.headers.get("Content-Type", "application/octet-stream"),
        "x-Amzn-Invoked-Production-Variant": server.variant["VariantName"],
    }
    if attributes := answer.headers.get(ATTRIBUTES):
        headers[ATTRIBUTES] = attributes
    return headers


def _refusal(status: int, code: str, document: Mapping[str, Any]) -> Response:
    return (
        status,
        {"Content-Type": "application/json", "x-amzn-ErrorType": code},
        json.dumps(document).encode(),
    )
