"""The model server: SageMaker's /ping and /invocations, as a bare ASGI application.

The artifact is verified and loaded before the port is bound, so that whoever gets an
response from /ping gets it from a server that can predict.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import uvicorn

from container.errors import PlatformError
from container.paths import Paths
from contract import artifact, serving
from contract.names.jobs import Variable
from contract.parts import MAX_PART_BYTES, PART
from contract.reasons import FileReason, Unscorable
from contract.schema import ContractError
from scoring.server.parts import PartScorer
from scoring.server.predictor import Predictor
from tabular.parquet import TableScorer, result_fields

PORT = "SAGEMAKER_BIND_TO_PORT"
EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 - a container's port
LARGE_BODY_BYTES = 64 * 1024
"""A larger body is scored in a thread, so that /ping need not wait for it."""

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: serve the artifact in the model folder until told to stop.

    Raises:
        PlatformError: the folder holds no sealed artifact that this code can read.
    """
    host = environ.get(Variable.BIND_HOST, EVERY_INTERFACE)
    listen(load(paths, environ), int(environ.get(PORT, "8080")), host)


def listen(application: Any, port: int, host: str = EVERY_INTERFACE) -> None:
    """Serve an ASGI application until told to stop."""
    uvicorn.run(
        application,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        interface="asgi3",
        lifespan="off",
        proxy_headers=False,
        access_log=False,
        log_config=None,
        server_header=False,
    )


def load(paths: Paths, environ: Mapping[str, str]) -> Application:
    """The application with its model verified and loaded."""
    try:
        predictor = Predictor(paths.model)
    except (artifact.ArtifactError, ContractError) as error:
        raise PlatformError(f"the model cannot be served: {error}") from error
    unnamed = f"{predictor.contract.model}@{predictor.digests[artifact.MODEL][:12]}"
    version = environ.get(Variable.MODEL_VERSION, unnamed)
    log.info("serving %s", version)
    return Application(predictor, version)


class Application:
    """Serves one model. Faults of a request are 4xx; bad rows have responses like any other."""

    def __init__(self, predictor: Predictor, version: str) -> None:
        self._predictor = predictor
        self._version = version
        self._tables = TableScorer(
            partial(predictor.respond, serving.CSV),
            features=predictor.contract.feature_names,
            fields=result_fields(predictor.contract.problem, predictor.classes),
            model_version=version,
        )
        self._parts = PartScorer(predictor, version)
        self._ok_headers = _headers(serving.JSON_LINES, serving.Attributes(model_version=version))
        self._ok_headers_part = _headers(PART, serving.Attributes(model_version=version))
        self._refused = _headers(serving.JSON, serving.Attributes(model_version=version))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["path"], scope["method"]:
            case "/invocations", "POST":
                await self._invoke(scope, receive, send)
            case "/ping", "GET" | "HEAD":
                await _respond(send, 200, [], b"")
            case "/invocations" | "/ping", _:
                await _respond(send, 405, [], b"")
            case _:
                await _respond(send, 404, [], b"")

    async def _invoke(self, scope: Scope, receive: Receive, send: Send) -> None:
        content_type = _content_type(scope)
        if content_type not in (*serving.CONTENT_TYPES, PART):
            message = f"Content type {content_type!r} is not one of {', '.join(serving.CONTENT_TYPES)}."
            await self._refuse(send, 415, Unscorable(code=FileReason.UNSUPPORTED_FORMAT, message=message))
            return
        limit = MAX_PART_BYTES if content_type == PART else serving.MAX_REQUEST_BYTES
        body = await _body(receive, limit)
        if body is None:
            await self._refuse(send, 413, _too_large("request", limit))
            return
        try:
            if content_type == PART:
                response = await asyncio.to_thread(self._parts.respond, body)
                await _respond(send, 200, self._ok_headers_part, response)
                return
            if content_type == serving.PARQUET:
                await self._respond_table(send, body, _longest(scope) or serving.MAX_REQUEST_BYTES)
                return
            if len(body) > LARGE_BODY_BYTES:
                text = await asyncio.to_thread(self._predictor.respond, content_type, body)
            else:
                text = self._predictor.respond(content_type, body)
        except Unscorable as why:
            await self._refuse(send, 400, why)
        else:
            await self._respond_rows(send, text.encode(), scope)

    async def _respond_rows(self, send: Send, response: bytes, scope: Scope) -> None:
        if len(response) > LARGE_BODY_BYTES and (longest := _longest(scope)) and len(response) > longest:
            await self._refuse(send, 413, _too_large("answer", longest))
        else:
            await _respond(send, 200, self._ok_headers, response)

    async def _respond_table(self, send: Send, body: bytes, longest: int) -> None:
        response = await asyncio.to_thread(self._tables.respond, body, longest)
        attributes = serving.Attributes(
            model_version=self._version,
            rows=response.rows,
            rejected=response.rejected,
            unseen=response.unseen,
        )
        await _respond(send, 200, _headers(serving.PARQUET, attributes), response.body)

    async def _refuse(self, send: Send, status: int, why: Unscorable) -> None:
        await _respond(send, status, self._refused, json.dumps(asdict(why)).encode())


def _too_large(what: str, limit: int) -> Unscorable:
    return Unscorable(code=FileReason.TOO_LARGE, message=f"The {what} exceeds {limit:,} bytes.")


def _longest(scope: Scope) -> int | None:
    """Return the length of response that the client can take, as it says; None if it does not."""
    attribute = _header(scope, serving.MODEL_VERSION_HEADER)
    number = attribute.removeprefix(serving.MAX_ANSWER)
    return int(number) if number != attribute and number.isascii() and number.isdecimal() else None


def _headers(content_type: str, attributes: serving.Attributes) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", content_type.encode()),
        (serving.MODEL_VERSION_HEADER.lower().encode(), str(attributes).encode()),
    ]


def _content_type(scope: Scope) -> str:
    return _header(scope, "content-type").partition(";")[0].strip().lower()


def _header(scope: Scope, name: str) -> str:
    wanted = name.lower().encode()
    for given, value in scope["headers"]:
        if given == wanted:
            return str(value.decode("latin-1"))
    return ""


async def _body(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None if it is larger than a request may be."""
    message = await receive()
    body: bytes = message.get("body", b"")
    parts, size = [body], len(body)
    while message.get("more_body", False) and size <= limit:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    return None if size > limit else b"".join(parts)


async def _respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
