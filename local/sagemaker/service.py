"""The SageMaker service: one table of operations behind ministack's gateway."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ministack.core.concurrency import run_reentrant
from ministack.core.router import extract_access_key_id

from local.cloud.seam import Cloud
from local.sagemaker import shapes
from local.sagemaker.errors import ServiceError, not_implemented
from local.sagemaker.iam import require, require_pass_role
from local.sagemaker.quotas import Quotas
from local.sagemaker.resources import resource_arn
from local.sagemaker.state import State
from local.sagemaker.visibility import Visibility

logger = logging.getLogger(__name__)

Response = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request: validated arguments, and who makes it (no access key: CloudFormation)."""

    operation: str
    arguments: Mapping[str, Any]
    access_key: str | None
    region: str

    def __getitem__(self, member: str) -> Any:
        return self.arguments[member]

    def get(self, member: str, default: Any = None) -> Any:
        """An argument that may be missing."""
        return self.arguments.get(member, default)

    def require(self, action: str, resource: str) -> None:
        """Refuse a caller who may not also do `action` on `resource`."""
        require(self.access_key, action, resource, self.region)

    def require_pass_role(self, role_arn: str) -> None:
        """Refuse a caller who may not hand the role to SageMaker."""
        require_pass_role(self.access_key, role_arn, self.region)


Operation = Callable[[Call], dict[str, Any]]
Operations = Mapping[str, Operation]


@dataclass(frozen=True)
class Backend:
    """What every part of the service works with."""

    cloud: Cloud
    state: State
    quotas: Quotas = field(default_factory=lambda: Quotas(None))


class Service:
    """Dispatches requests to operations."""

    def __init__(self, backend: Backend, operations: Operations) -> None:
        self._backend = backend
        self._operations = operations
        self._answers: dict[tuple[str, str, str], Future[dict[str, Any]]] = {}
        self._token_lock = threading.Lock()
        self._visibility = Visibility(backend.cloud.strictness)

    async def handle(self, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Response:
        """Answer a request of the JSON protocol. Work is done on a thread, never on the gateway's loop."""
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        access_key = extract_access_key_id(headers, query)
        response: Response = await run_reentrant(self._respond, operation, body, access_key)
        return response

    def _respond(self, operation: str, body: bytes, access_key: str) -> Response:
        try:
            answer = self.call(operation, _parse(body), access_key)
        except ServiceError as error:
            return respond(error.status, {"__type": error.code, "message": error.message})
        except Exception:
            logger.exception("SageMaker %s failed", operation)
            return respond(
                500, {"__type": "InternalFailure", "message": f"{operation} failed: see the cloud's log."}
            )
        return respond(200, answer)

    def call(
        self, operation: str, arguments: Mapping[str, Any], access_key: str | None = None
    ) -> dict[str, Any]:
        """Validate and run one operation.

        Raises:
            ServiceError: as AWS refuses it, or 501 where the operation is not implemented.
        """
        run = self._operations.get(operation)
        if run is None:
            raise not_implemented(f"SageMaker {operation}")
        shapes.check(operation, arguments)
        state = self._backend.state
        call = Call(operation=operation, arguments=arguments, access_key=access_key, region=state.region)
        resource = resource_arn(operation, arguments, state.region, state.account)
        if resource != resource.lower():
            # The gateway has authorised the name as it is spelled; the resource's own ARN is in lower case.
            call.require(f"sagemaker:{operation}", resource.lower())
        if arguments.get("Tags"):
            call.require("sagemaker:AddTags", resource)
        if access_key is not None:
            self._visibility.check(operation, resource)
        token = _idempotency_token(operation, arguments)
        answer = run(call) if token is None else self._once((operation, resource, token), lambda: run(call))
        if operation.startswith(("Create", "Start")):
            self._visibility.created(answer)
        return answer

    def _once(self, request: tuple[str, str, str], run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Carry out a request the first time its token comes, also when two come together."""
        with self._token_lock:
            answer = self._answers.get(request)
            first = answer is None
            if answer is None:
                answer = self._answers[request] = Future()
        if first:
            try:
                answer.set_result(run())
            except Exception as error:
                del self._answers[request]  # what failed may be tried again
                answer.set_exception(error)
        return answer.result()


def _parse(body: bytes) -> dict[str, Any]:
    try:
        arguments = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise ServiceError("SerializationException", "The body is not a JSON object")
    return arguments


def _idempotency_token(operation: str, arguments: Mapping[str, Any]) -> str | None:
    members = (
        name
        for name, member in shapes.input_shape(operation).members.items()
        if member.metadata.get("idempotencyToken")
    )
    return next((arguments[name] for name in members if name in arguments), None)


def respond(status: int, document: Mapping[str, Any]) -> Response:
    """An answer of the JSON protocol: timestamps are seconds since 1970."""
    body = json.dumps(document, default=_encode).encode()
    return status, {"Content-Type": "application/x-amz-json-1.1"}, body


def _encode(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no form in SageMaker's JSON")
