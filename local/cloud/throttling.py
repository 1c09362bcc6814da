"""Calls that a strict cloud answers with "Rate exceeded", each as its service does."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import sts

from local.cloud.strictness import Strictness

_CREDENTIAL = re.compile(rb"Credential=(?P<key>[^/,]+)/\d{8}/[^/]+/(?P<service>[^/]+)/aws4_request")
_XML = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>throttled</RequestId></ErrorResponse>"
)
_S3 = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_QUERY = ("cloudformation", "iam", "sns", "sts")
_NEVER = ("sts", "iam")
"""Too few calls, and CloudFormation and the CDK CLI make them."""
_LINKED = "AWSServiceRole"
"""How the roles begin with which AWS's services work for themselves."""
MESSAGE = "Rate exceeded"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refusal:
    """An answer instead of the service's."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Throttling:
    """Says of each request whether it is one too many."""

    def __init__(self, strictness: Strictness) -> None:
        self._strictness = strictness
        self._lock = threading.Lock()
        self._count: Counter[tuple[str, str, str]] = Counter()
        self._refused: set[tuple[str, str, str]] = set()

    def refusal(self, scope: Mapping[str, Any]) -> Refusal | None:
        """The refusal of a request that is one too many; None for one to be carried out."""
        headers = {name.lower(): value for name, value in scope["headers"]}
        signed = _CREDENTIAL.search(headers.get(b"authorization", b""))
        if signed is None or headers.get(b"smithy-protocol") == b"rpc-v2-cbor":
            return None
        service = signed["service"].decode()
        if service in _NEVER:
            return None
        call = (_caller(signed["key"].decode()), service, _operation(scope, headers))
        if call[0].startswith(_LINKED) or not self._is_too_many(call):
            return None
        logger.info("throttled: %s of %s by %s", call[2], service, call[0])
        return _answer(service, scope["path"])

    def _is_too_many(self, call: tuple[str, str, str]) -> bool:
        with self._lock:
            self._count[call] += 1
            if call in self._refused:  # who comes again is let in
                self._refused.discard(call)
                return False
            refused = self._strictness.draw("throttle", *call, self._count[call]) < self._strictness.throttled
            if refused:
                self._refused.add(call)
            return refused


def _caller(access_key: str) -> str:
    """The role's name, which is the same in each run but for what CloudFormation adds to it."""
    arn = str(sts._sessions.get(access_key, {}).get("Arn", ""))
    return arn.split("/")[1].rpartition("-")[0] if ":assumed-role/" in arn else "root"


def _operation(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
    if target := headers.get(b"x-amz-target"):
        return target.decode().rpartition(".")[2]
    return f"{scope['method']} {scope['path'].count('/')}"


def _answer(service: str, path: str) -> Refusal:
    if service == "s3":
        return Refusal(503, {"content-type": "application/xml"}, _S3.encode())
    if service in _QUERY:
        body = _XML.format(code="Throttling", message=MESSAGE)
        return Refusal(400, {"content-type": "text/xml"}, body.encode())
    code, status = ("ThrottlingException", 400)
    if path.startswith("/2015-03-31/"):
        code, status = ("TooManyRequestsException", 429)
    document = {"__type": code, "message": MESSAGE, "Message": MESSAGE}
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code}
    return Refusal(status, headers, json.dumps(document).encode())
