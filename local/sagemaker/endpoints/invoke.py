"""InvokeEndpoint: the request goes to a model server, and its answer back in the shape of AWS's."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import urllib3
from ministack.core.concurrency import run_reentrant

from local.cloud.seam import Cloud
from local.sagemaker.endpoints.hosting import Hosting
from local.sagemaker.endpoints.invocation import ATTRIBUTES, PASSED_ON, Failure, Request, invoke, mirror
from local.sagemaker.endpoints.server import ModelServer
from local.sagemaker.errors import ServiceError, not_implemented
from local.sagemaker.service import Response

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


class Runtime:
    """The sagemaker-runtime service."""

    def __init__(self, cloud: Cloud, hosting: Hosting) -> None:
        self._cloud = cloud
        self._hosting = hosting

    async def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer a request under /endpoints/. Waiting for the model is done on a thread."""
        response: Response = await run_reentrant(self._respond, method, path, headers, body)
        return response

    def _respond(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            endpoint, _, action = path.removeprefix("/endpoints/").partition("/")
            if method != "POST" or action != "invocations":
                raise not_implemented(f"SageMaker Runtime {method} {path}")
            if unsupported := sorted(_NOT_DONE & headers.keys()):
                raise not_implemented(f"InvokeEndpoint with the header {unsupported[0]}")
            return self._invoke(unquote(endpoint), headers, body)
        except ServiceError as error:
            return _refusal(error.status, error.code, {"message": error.message})

    def _invoke(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> Response:
        request = Request(
            endpoint=endpoint,
            headers={name: headers[name.lower()] for name in PASSED_ON if name.lower() in headers},
            body=body,
            received=time.perf_counter(),
        )
        with self._hosting.route(endpoint, headers.get(_TARGET_VARIANT)) as route:
            server = route.server
            if len(body) > server.max_body_bytes:
                message = f"HTTP content length exceeded {server.max_body_bytes} bytes."
                return 413, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()
            mirror(self._cloud, request, route.fleet)
            answer = invoke(self._cloud, request, route.fleet, route.variant, server)
            if isinstance(answer, Failure):
                return self._model_error(server, answer)
            return answer.status, _answer_headers(server, answer), answer.data

    def _model_error(self, server: ModelServer, failure: Failure) -> Response:
        region, account = self._cloud.region, self._cloud.account
        whose = "client" if 400 <= failure.status < 500 else "server"
        return _refusal(
            424,
            "ModelError",
            {
                "Message": f"Received {whose} error ({failure.status}) from primary with message "
                f'"{failure.text}". See https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}'
                f"#logEventViewer:group={server.log_group} in account {account} for more information.",
                "OriginalStatusCode": failure.status,
                "OriginalMessage": failure.text,
                "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:{server.log_group}:"
                f"log-stream:{server.log_stream}",
            },
        )


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
