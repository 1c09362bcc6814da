"""Messages of the score queue: S3's events, delivered by EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract import layout
from contract.events import OBJECT_CREATED, SOURCE
from scoring.upload.errors import BadMessage


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One object at one version."""

    bucket: str
    key: str
    version_id: str


def upload_of(body: str) -> Upload | None:
    """The upload that a message tells of; `None` where it tells of something else.

    Raises:
        BadMessage: it is no event of S3, or of a bucket without versions.
    """
    event = _parse(body)
    if event.get("Event") == "s3:TestEvent":
        return None
    if event.get("source") != SOURCE or "detail-type" not in event:
        raise BadMessage("the message is not an event that S3 sent through EventBridge")
    if event["detail-type"] != OBJECT_CREATED:
        return None
    try:
        detail = event["detail"]
        bucket, key = str(detail["bucket"]["name"]), str(detail["object"]["key"])
        version_id = detail["object"].get("version-id")
    except (KeyError, TypeError, AttributeError) as error:
        raise BadMessage(f"the event names no object: {error!r}") from error
    if not key.startswith(layout.SCORE_PREFIX) or key.endswith("/"):
        return None
    if version_id in (None, "", "null"):
        raise BadMessage(
            f"the event of s3://{bucket}/{key} names no version: turn its versioning on and upload again"
        )
    return Upload(bucket=bucket, key=key, version_id=str(version_id))


def _parse(body: str) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except ValueError as error:
        raise BadMessage(f"the message is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise BadMessage("the message is not a JSON object")
    return event
