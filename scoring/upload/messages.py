"""Messages of the score queue: S3's events, delivered by EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contract import layout
from contract.events import DETAIL_TYPE, OBJECT_CREATED, SOURCE, Upload
from scoring.upload.kit.errors import BadMessage


def upload_of(body: str) -> Upload | None:
    """The upload that a message tells of; `None` where it tells of something else.

    Raises:
        BadMessage: it is no event of S3, or of a bucket without versions.
    """
    event = _parse(body)
    if event.get("Event") == "s3:TestEvent":
        return None
    if event.get("source") != SOURCE or DETAIL_TYPE not in event:
        raise BadMessage("the message is not an event that S3 sent through EventBridge")
    if event[DETAIL_TYPE] != OBJECT_CREATED:
        return None
    try:
        upload = Upload.of(event)
    except ValueError as error:
        raise BadMessage(str(error)) from error
    if not upload.key.startswith(layout.SCORE_PREFIX) or upload.key.endswith("/"):
        return None
    if upload.version_id in ("", "null"):
        raise BadMessage(
            f"the event of s3://{upload.bucket}/{upload.key} names no version: "
            "turn its versioning on and upload again"
        )
    return upload


def _parse(body: str) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except ValueError as error:
        raise BadMessage(f"the message is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise BadMessage("the message is not a JSON object")
    return event
