"""Objects' bytes on disk: ministack keeps them in memory, where a few gigabytes of uploads do not fit.

A body of some size becomes a file of its own, which goes when nothing refers to it any more. Reading
an object gives pieces of that file, and an object made of parts or of ranges of others refers to their
files; whatever else ministack does with a body gets its bytes.

Added are S3's limits on the parts of an object.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

from ministack.core.responses import StreamingResponse
from ministack.services import s3

from local.cloud.patching import replace
from local.cloud.s3.body import Body

SMALL_BYTES = 64 * 1024
"""Up to this size a body stays in memory: a file would cost more."""
MIN_PART_BYTES = 5 * 1024 * 1024
"""Of a part, but for the last, and of an object of which a range is copied."""

Response = tuple[int, dict[str, str], Any]


class _Part(bytes):
    """Stands for a part of a multipart upload: as long as that, while its bytes are the part's ETag only.

    So ministack counts right, joins little, and what it joins says which parts the object is made of.
    """

    body: Body

    def __new__(cls, etag: str, body: Body) -> _Part:
        made = super().__new__(cls, etag.encode())
        made.body = body
        return made

    def __len__(self) -> int:
        return len(self.body)


Parts = Mapping[bytes, Body]

_parts: ContextVar[Parts] = ContextVar("the parts of the upload that is completed, by ETag")
_reading: ContextVar[bool] = ContextVar("whether an object is read piece by piece", default=False)


def install(folder: Path) -> None:
    """Keep bodies in a folder, which is made. To be installed after what changes how objects are read."""
    folder.mkdir()
    kept = partial(_kept, folder)
    replace(s3, "_upload_part", "bucket_name key body query_params headers", partial(_part, folder))
    replace(
        s3,
        "_upload_part_copy",
        "bucket_name dest_key query_params headers",
        lambda original: _part(folder, _unread(original)),
    )
    replace(s3, "_complete_multipart_upload", "bucket_name key body query_params headers", _knowing_parts)
    replace(s3, "md5_hash", "data", _of_bodies)
    replace(s3, "_record_object_version", "bucket_name key prior_obj obj data", partial(_recorded, kept))
    replace(s3, "_read_body", "bucket_name key obj", _whole_but_for_readers)
    replace(s3, "_version_body", "bucket bucket_name key v", _whole_but_for_readers)
    replace(s3, "_get_object", "bucket_name key headers query_params", _piece_by_piece)


def _part(folder: Path, original: Callable[..., Response]) -> Callable[..., Response]:
    def upload_part(*arguments: Any) -> Response:
        answer = original(*arguments)
        if answer[0] == 200:
            *_, query_params, _ = arguments
            upload = s3._multipart_uploads[s3._qp(query_params, "uploadId")]
            part = upload["parts"][int(s3._qp(query_params, "partNumber"))]
            body = part["body"]
            part["body"] = _Part(part["etag"], body if isinstance(body, Body) else Body.written(folder, body))
        return answer

    return upload_part


def _unread(original: Callable[..., Response]) -> Callable[..., Response]:
    """Copy parts without reading them into memory."""

    def upload_part_copy(
        bucket_name: str, dest_key: str, query_params: dict[str, Any], headers: dict[str, str]
    ) -> Response:
        token = _reading.set(True)
        try:
            return original(bucket_name, dest_key, query_params, headers)
        finally:
            _reading.reset(token)

    return upload_part_copy


def _of_bodies(original: Callable[[bytes], str]) -> Callable[[Any], str]:
    def md5_hash(data: Any) -> str:
        return data.md5() if isinstance(data, Body) else original(data)

    return md5_hash


def _knowing_parts(original: Callable[..., Response]) -> Callable[..., Response]:
    def complete(
        bucket_name: str,
        key: str,
        body: bytes,
        query_params: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> Response:
        upload = s3._multipart_uploads.get(s3._qp(query_params, "uploadId"), {"parts": {}})
        stored = [part["body"] for _, part in sorted(upload["parts"].items())]
        if any(len(part) < MIN_PART_BYTES for part in stored[:-1]):
            message = "Your proposed upload is smaller than the minimum allowed size"
            refusal: Response = s3._error("EntityTooSmall", message, 400, f"/{bucket_name}/{key}")
            return refusal
        token = _parts.set({bytes(part): part.body for part in stored})
        try:
            return original(bucket_name, key, body, query_params, headers)
        finally:
            _parts.reset(token)

    return complete


def _recorded(kept: Callable[..., Any], original: Callable[..., str | None]) -> Callable[..., str | None]:
    def record(bucket_name: str, key: str, prior_obj: Any, obj: dict[str, Any], data: Any) -> str | None:
        obj["body"] = kept(data)
        obj["size"] = len(obj["body"])
        return original(bucket_name, key, prior_obj, obj, obj["body"])

    return record


def _kept(folder: Path, data: Any) -> Any:
    """What an object's record refers to: its bytes, or the files that hold them."""
    if parts := _parts.get({}):
        size = len(next(iter(parts)))
        return Body.joined(parts[data[at : at + size]] for at in range(0, len(data), size))
    return Body.written(folder, data) if isinstance(data, bytes) and len(data) > SMALL_BYTES else data


def _whole_but_for_readers(original: Callable[..., Any]) -> Callable[..., Any]:
    def read(*arguments: Any) -> Any:
        body = original(*arguments)
        return bytes(body) if isinstance(body, Body) and not _reading.get() else body

    return read


def _piece_by_piece(original: Callable[..., Response]) -> Callable[..., Response]:
    def get_object(
        bucket_name: str, key: str, headers: dict[str, str], query_params: dict[str, Any] | None = None
    ) -> Response:
        token = _reading.set(True)
        try:
            status, told, body = original(bucket_name, key, headers, query_params)
        finally:
            _reading.reset(token)
        return status, told, StreamingResponse(partial(_send, body)) if isinstance(body, Body) else body

    return get_object


Receive = Callable[[], Awaitable[Mapping[str, Any]]]


async def _send(body: Body, send: Callable[[Any], Awaitable[None]], receive: Receive) -> None:
    gone = asyncio.create_task(_disconnected(receive))
    try:
        for piece in body.pieces():
            # To a reader that has gone, sending ends at once and keeps what it was given.
            await asyncio.sleep(0)
            if gone.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
