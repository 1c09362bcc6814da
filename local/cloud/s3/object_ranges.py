"""Ranges of a version of an object. ministack gives a part of the current version only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import s3

from local.cloud import patching

Response = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Answer 206 with the part that was asked for."""
    patching.replace(s3, "_get_object", "bucket_name key headers query_params", _with_ranges)


def _with_ranges(original: Callable[..., Response]) -> Callable[..., Response]:
    def get_object(
        bucket_name: str, key: str, headers: dict[str, str], query_params: dict[str, Any]
    ) -> Response:
        status, told, body = original(bucket_name, key, headers, query_params)
        if status != 200 or "range" not in headers:
            return status, told, body
        found = s3._parse_range(headers["range"], len(body))
        if found is None:
            return status, told, body
        start, end = found
        part = body[start : end + 1]
        feature_checks = {
            "Content-Length": str(len(part)),
            "Content-Range": f"bytes {start}-{end}/{len(body)}",
        }
        return 206, {**told, **feature_checks}, part

    return get_object
