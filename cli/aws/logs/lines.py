"""Lines of CloudWatch's log groups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.aws.clients import Aws
from cli.kit.errors import error_code


@dataclass(frozen=True)
class Line:
    """One line of one source. `identity` tells it from others of that moment and text."""

    when: datetime
    source: str
    text: str
    identity: str = field(repr=False)

    @property
    def fields(self) -> dict[str, Any] | None:
        """The object that a structured line writes, else None."""
        try:
            document = json.loads(self.text)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    @property
    def bookkeeping(self) -> bool:
        """True if the line is for machines: Lambda's frame of an invocation, or metrics."""
        return self.text.startswith(("START RequestId: ", "END RequestId: ")) or "_aws" in (self.fields or {})

    def mentions(self, key: str) -> bool:
        """True if the line is about an upload."""
        fields = self.fields
        return (
            key in self.text
            if fields is None
            else fields.get("key") == key or key in fields.get("message", "")
        )


def of_group(
    aws: Aws, source: str, group: str, after: datetime, *, stream_prefix: str = ""
) -> Iterator[Line]:
    """The lines of a log group, or of some of its streams, after a moment; none where there is no group."""
    pages = aws.logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int(after.timestamp() * 1000),
        **({"logStreamNamePrefix": stream_prefix} if stream_prefix else {}),  # type: ignore[arg-type]
    )
    try:
        for event in (event for page in pages for event in page["events"]):
            stream = event["logStreamName"]
            if stream.startswith(stream_prefix):  # the emulator gives all streams
                when = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                identity = event.get("eventId") or f"{group}/{stream}"
                yield Line(when, source, event["message"].rstrip(), identity)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":  # nothing was logged there yet
            raise
