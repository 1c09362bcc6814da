"""S3's events to EventBridge name the object's version. ministack's leave it out."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import eventbridge, s3

from local.cloud.patching import replace

_version_id: ContextVar[str | None] = ContextVar(
    "version of the object that the event is about", default=None
)


def install() -> None:
    """Carry the version from where S3 knows it to where the event is sent."""
    replace(
        s3,
        "_fire_s3_event",
        "bucket_name key event_name size etag deletion_type restore_event_data version_id sequencer "
        "object_extra record_extra",
        _remembering_the_version,
    )
    replace(eventbridge, "_dispatch_event", "event view", _naming_the_version)


def _remembering_the_version(original: Callable[..., None]) -> Callable[..., None]:
    def fire_s3_event(*arguments: Any, version_id: str | None = None, **options: Any) -> None:
        token = _version_id.set(version_id)
        try:
            original(*arguments, version_id=version_id, **options)
        finally:
            _version_id.reset(token)

    return fire_s3_event


def _naming_the_version(original: Callable[..., None]) -> Callable[..., None]:
    def dispatch_event(event: dict[str, Any], view: Any = None) -> None:
        version_id = _version_id.get()
        if event["Source"] == "aws.s3" and version_id:
            detail = json.loads(event["Detail"])
            detail["object"].setdefault("version-id", version_id)
            event, view = {**event, "Detail": json.dumps(detail)}, None
        original(event, view)

    return dispatch_event
