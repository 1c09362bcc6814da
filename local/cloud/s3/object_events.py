"""S3's events to EventBridge name the object's version, which ministack's leave out.

On a strict cloud EventBridge is not told of a new bucket's objects for a while, as on AWS.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import eventbridge, s3

from local.cloud.patching import replace
from local.cloud.strictness import Strictness

_ASYNC = "bucket_name key event_name size etag deletion_type version_id object_extra record_extra"

_version_id: ContextVar[str | None] = ContextVar(
    "version of the object that the event is about", default=None
)


def install(strictness: Strictness | None = None) -> None:
    """Carry the version from where S3 knows it to where the event is sent."""
    replace(
        s3,
        "_fire_s3_event",
        "bucket_name key event_name size etag deletion_type restore_event_data version_id sequencer "
        "object_extra record_extra",
        _remembering_the_version,
    )
    replace(eventbridge, "_dispatch_event", "event view", _naming_the_version)
    if strictness is not None:
        late = _late(strictness)
        replace(s3, "_fire_s3_event_async", _ASYNC, late)


def _late(strictness: Strictness) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def wrap(original: Callable[..., None]) -> Callable[..., None]:
        def fire(bucket_name: str, *arguments: Any, **options: Any) -> None:
            created = dt.datetime.fromisoformat(s3._buckets[bucket_name]["created"].replace("Z", "+00:00"))
            age = (dt.datetime.now(dt.UTC) - created).total_seconds()
            if age >= strictness.between(strictness.bucket_seconds, "bucket"):
                original(bucket_name, *arguments, **options)

        return fire

    return wrap


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
