"""S3's event of a new object as EventBridge delivers it: by it the functions learn of an upload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

SOURCE = "aws.s3"
OBJECT_CREATED = "Object Created"
DETAIL_TYPE = "detail-type"
_VERSION_ID = "version-id"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One object at one version, which is empty in a bucket without versions."""

    bucket: str
    key: str
    version_id: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        return cls(**json.loads(text))

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """Read from an event which object it is about.

        Raises:
            ValueError: it names none.
        """
        try:
            detail, named = event["detail"], event["detail"]["object"]
            version_id = named.get(_VERSION_ID)
            return cls(
                bucket=str(detail["bucket"]["name"]), key=str(named["key"]), version_id=str(version_id or "")
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the event names no object: {error!r}") from error


def object_created(*, bucket: str, key: str, version_id: str, reason: str) -> dict[str, Any]:
    """Return as much of the event as this project reads. `reason` is S3's word for what made the object."""
    return {
        "source": SOURCE,
        DETAIL_TYPE: OBJECT_CREATED,
        "detail": {
            "bucket": {"name": bucket},
            "object": {"key": key, _VERSION_ID: version_id},
            "reason": reason,
        },
    }
