"""S3's event of a new object as EventBridge delivers it: what tells `score_upload` of an upload."""

from __future__ import annotations

from typing import Any

SOURCE = "aws.s3"
OBJECT_CREATED = "Object Created"


def object_created(*, bucket: str, key: str, version_id: str, reason: str) -> dict[str, Any]:
    """As much of the event as this project reads. `reason` is S3's word for what made the object."""
    return {
        "source": SOURCE,
        "detail-type": OBJECT_CREATED,
        "detail": {
            "bucket": {"name": bucket},
            "object": {"key": key, "version-id": version_id},
            "reason": reason,
        },
    }
