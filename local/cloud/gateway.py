"""The door of the cloud: what a request must be before any service looks at it.

The gateway listens on loopback, where every user and every page in a browser of this machine can send
it requests. A page cannot sign, and what is unsigned is refused by the services; but it may read what
an answer lets it, and the emulator has routes of its own that ask for no signature. So a request must
be addressed to this gateway by name, must come from no page, and no answer is for a page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from local.cloud.throttling import Refusal, Throttling

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_CONTROL = re.compile(r"/(_ministack|_localstack|_aws)(/|$)|/health$")
"""Routes of the emulator itself: its reset, its settings, queues' content, functions' code."""
_TOKEN = re.compile(r"/_ministack/(cfn-response|cfn-signal)/[0-9a-f-]{32,}")
"""Answers of custom resources, which a token in the address permits, as S3's presigned URL does on AWS."""


class Gateway:
    """An ASGI application before the emulator's."""

    def __init__(self, emulator: Application, port: int, throttling: Throttling | None = None) -> None:
        self._emulator = emulator
        self._throttling = throttling
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "http" and (refusal := self._refusal(scope)):
            await _answer(send, refusal)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._emulator(scope, receive, _for_no_page(send))

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        if headers.get(b"host", b"").lower() not in self._hosts:
            return _refused(421, "MisdirectedRequest", "The Host header names another host.")
        if b"origin" in headers or headers.get(b"sec-fetch-site", b"none") != b"none":
            return _refused(403, "AccessDenied", "The local cloud answers no requests of web pages.")
        if _CONTROL.match(scope["path"]) and not _TOKEN.fullmatch(scope["path"]):
            return _refused(404, "NotFound", "The emulator's own routes are closed.")
        return self._throttling.refusal(scope) if self._throttling else None


def _refused(status: int, code: str, message: str) -> Refusal:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Refusal(status, {"content-type": "application/json"}, body)


async def _answer(send: Send, refusal: Refusal) -> None:
    headers = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    length = (b"content-length", str(len(refusal.body)).encode())
    await send({"type": "http.response.start", "status": refusal.status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": refusal.body})


def _for_no_page(send: Send) -> Send:
    """The emulator lets pages of every origin read most answers."""

    async def send_on(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": list(_without_sharing(message.get("headers", [])))}
        await send(message)

    return send_on


def _without_sharing(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return ((name, value) for name, value in headers if not name.lower().startswith(b"access-control-"))
