"""Between botocore and the simulated services: every request of the real clients, in this process.

botocore sends, retries and parses as always; a hook on `before-send` answers in place of
the network. What goes wrong on the way goes wrong here.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zlib import crc32

from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from urllib3.exceptions import ProtocolError

from adapters import clients
from tests.simulator.clock import Clock
from tests.simulator.faults import Fault, Plan

LATENCY = 0.02
READ_TIMEOUT = {"s3": 60.0, "sqs": 10.0, "sagemaker-runtime": 65.0, "stepfunctions": 30.0}
SLOW_SECONDS = 45.0
SERVICES = {"s3": "s3", "sqs": "sqs", "sagemaker-runtime": "sagemaker-runtime", "stepfunctions": "sfn"}
"""boto3's names, and those of botocore's events."""


class Killed(BaseException):
    """The function's process died: it crashed, or its time was up."""


@dataclass(frozen=True)
class Request:
    """One HTTP request as a service sees it."""

    service: str
    operation: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


class Refusal(Exception):  # noqa: N818 - it is what the service says
    """A service's own answer that is not a success. `fields` go beside the message."""

    def __init__(self, status: int, code: str, message: str, **fields: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.fields = status, code, message, fields

    def response(self, service: str) -> Response:
        if service == "s3":
            text = f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
            return Response(text.encode(), {"Content-Type": "application/xml"}, self.status)
        body = json.dumps({"__type": self.code, "Message": self.message, **self.fields}).encode()
        return Response(body, {"x-amzn-errortype": self.code}, self.status)


@dataclass(eq=False)
class Invocation:
    """One run of a function, in a process of its own as far as it can tell."""

    name: str
    deadline: float
    ended: bool = False
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def killed(self, why: str) -> Killed:
        """The end of it: it makes no other call."""
        self.ended = True
        return Killed(why)


@dataclass
class Wire:
    """Answers requests. `others` lets other deliveries run; `swap` lets another model go live."""

    clock: Clock
    plan: Plan
    serve: Callable[[Request], Response]
    outage: Callable[[Request], Refusal | None]
    others: Callable[[], None]
    swap: Callable[[], None]
    invocations: list[Invocation] = field(default_factory=list)

    @contextmanager
    def invocation(self, name: str, seconds: float) -> Iterator[Invocation]:
        """While inside, requests are the function's."""
        invocation = Invocation(name, self.clock.now + seconds)
        self.invocations.append(invocation)
        try:
            yield invocation
        finally:
            invocation.ended = True
            self.invocations.pop()

    def sleep(self, seconds: float) -> None:
        """In place of `time.sleep`."""
        self._spend(seconds, self._invocation())

    @contextmanager
    def connected(self) -> Iterator[None]:
        """While inside, the adapters' clients talk to this wire, and were made inside."""
        clients.client.cache_clear()
        for service, name in SERVICES.items():
            events = clients.client(service).meta.events
            events.register(f"before-send.{name}", partial(self._send, service))
            # Nobody checks signatures here, and making them is a good part of a request's time.
            events.register(f"choose-signer.{name}", lambda **_: UNSIGNED)
        try:
            yield
        finally:
            clients.client.cache_clear()

    def _invocation(self) -> Invocation:
        invocation = self.invocations[-1]
        if invocation.ended:
            raise Killed("no call outlives its process")
        return invocation

    def _spend(self, seconds: float, invocation: Invocation) -> None:
        self.clock.advance(seconds)
        if self.clock.now > invocation.deadline:
            raise invocation.killed("the function's time is up")

    def _send(self, service: str, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        parsed = _parse(service, event_name.rpartition(".")[2], request)
        invocation = self._invocation()
        thing = (parsed.operation, parsed.bucket, parsed.key or str(crc32(parsed.body)))
        invocation.seen[thing] += 1
        fault = self.plan.fault(parsed.operation, invocation.name, *thing, invocation.seen[thing])
        others_may_run = len(self.invocations) < 3
        if fault is Fault.OVERTAKEN_BEFORE and others_may_run:
            self.others()
        response = self._answer(parsed, fault, invocation)
        if fault is Fault.OVERTAKEN_AFTER and others_may_run:
            self.others()
        return _as_botocore_has_it(request.url, response, breaks=fault is Fault.BODY_BREAKS_OFF)

    def _answer(self, request: Request, fault: Fault | None, invocation: Invocation) -> Response:
        self._spend(SLOW_SECONDS if fault is Fault.SLOW else LATENCY, invocation)
        try:
            self._go_wrong_before(request, fault, invocation)
            response = self.serve(request)
        except Refusal as refusal:
            return refusal.response(request.service)
        match fault:
            case Fault.CRASH_AFTER:
                raise invocation.killed(fault)
            case Fault.RESPONSE_LOST:
                self._spend(READ_TIMEOUT[request.service], invocation)
                raise ReadTimeoutError(endpoint_url=request.service)
            case Fault.SERVER_ERROR_AFTER:
                return _server_error(request).response(request.service)
        return response

    def _go_wrong_before(self, request: Request, fault: Fault | None, invocation: Invocation) -> None:
        if refusal := self.outage(request):
            raise refusal
        match fault:
            case Fault.CRASH_BEFORE:
                raise invocation.killed(fault)
            case Fault.REQUEST_LOST:
                raise ConnectionClosedError(endpoint_url=request.service)
            case Fault.THROTTLED:
                raise _throttling(request)
            case Fault.SERVER_ERROR_BEFORE:
                raise _server_error(request)
            case Fault.DENIED:
                raise denial(request)
            case Fault.KEY_DISABLED:
                raise Refusal(400, "KMS.DisabledException", "The key is disabled")
            case Fault.MODEL_ERROR:
                raise Refusal(424, "ModelError", "oops", OriginalStatusCode=500, OriginalMessage="oops")
            case Fault.MODEL_NOT_READY:
                raise Refusal(429, "ModelNotReadyException", "soon")
            case Fault.MODEL_SWAPPED:
                self.swap()


def denial(request: Request) -> Refusal:
    """What AWS says to whom it does not allow a request."""
    code = "AccessDenied" if request.service == "s3" else "AccessDeniedException"
    return Refusal(403, code, f"not authorized to perform {request.operation}")


def _throttling(request: Request) -> Refusal:
    if request.service == "s3":
        return Refusal(503, "SlowDown", "Please reduce your request rate")
    return Refusal(400, "ThrottlingException", "Rate exceeded")


def _server_error(request: Request) -> Refusal:
    return Refusal(500, "InternalError", "We encountered an internal error")


def _parse(service: str, operation: str, request: AWSPreparedRequest) -> Request:
    parts = urlsplit(request.url)
    headers = {name: _decoded(value) for name, value in request.headers.items()}
    return Request(
        service=service,
        operation=operation,
        bucket=parts.netloc.partition(".")[0] if service == "s3" else "",
        key=unquote(parts.path[1:]) if service == "s3" else "",
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers=headers,
        body=_body(request.body, headers),
    )


def _decoded(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _body(body: Any, headers: dict[str, str]) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    data = body if isinstance(body, bytes) else bytes(body, "utf-8") if isinstance(body, str) else bytes(body)
    return _without_chunks(data) if "aws-chunked" in headers.get("Content-Encoding", "") else data


def _without_chunks(data: bytes) -> bytes:
    parts: list[bytes] = []
    rest = data
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if length == 0:
            return b"".join(parts)
        parts.append(rest[:length])
        rest = rest[length + 2 :]


class _Raw(io.BytesIO):
    """A body as urllib3 gives it."""

    def __init__(self, data: bytes, *, breaks: bool) -> None:
        super().__init__(data[: len(data) // 2] if breaks else data)
        self._breaks = breaks

    def read(self, size: int | None = -1, /, **_: Any) -> bytes:
        data = super().read(size)
        if self._breaks and (not data or size in (None, -1)):
            raise ProtocolError("Connection broken")
        return data

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()


def _as_botocore_has_it(url: str, response: Response, *, breaks: bool) -> AWSResponse:
    headers = HTTPHeaders.from_dict({**response.headers, "Content-Length": str(len(response.body))})
    return AWSResponse(url, response.status, headers, _Raw(response.body, breaks=breaks))
