"""The newest upload, and whether a run is due: a burst of uploads is one run.

Each upload has a message of its own. Only that of the newest is of use: it waits until nothing has
followed for the quiet time, and a later upload takes its place. What comes in all the time is never
quiet: once an upload has waited for the longest wait, the next message that is looked at, whichever
it is, starts a run of all there is.

S3 dates an object that was uploaded in parts by the time at which that began: it may appear after
later ones were trained on. When it did appear, only its message says.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.ports import Bucket, ListedVersion, Queue
from contract import layout
from contract.events import Upload

log = logging.getLogger(__name__)

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Debounce:
    """The seconds without an upload after which a run starts, and the longest wait for that.

    `now` is in epoch seconds.
    """

    seconds: int
    longest_seconds: int
    queue: Queue
    now: Callable[[], float]

    def longest(self, uploads: Sequence[ListedVersion], records: Sequence[Record], last_run: float) -> float:
        """Seconds that are left of the longest wait of uploads; infinite if all are part of the last run.

        Of those that the messages tell of it is known when they were there.
        """
        there = {(parsed.key, parsed.version_id): parsed.at for parsed in map(_parsed, records) if parsed}
        times = (max(u.last_modified, there.get((u.key, u.version_id), -math.inf)) for u in uploads)
        since = min((at for at in times if at >= last_run), default=math.inf)
        return since + self.longest_seconds - self.now()

    def of_interest(self, records: Sequence[Record], newest: ListedVersion) -> list[Record]:
        """The messages that tell of the newest upload, of none, or of one that is not followed by it.

        It is where the newest one's own message may be looked at before the upload is there.
        """

        def is_of_interest(record: Record) -> bool:
            parsed = _parsed(record)
            if parsed is None or (parsed.key, parsed.version_id) == (newest.key, newest.version_id):
                return True
            return parsed.at + _RESOLUTION_SECONDS > newest.last_modified + self.seconds

        return [record for record in records if is_of_interest(record)]

    def put_off(self, records: Sequence[Record], newest: ListedVersion, at_most: float) -> Sequence[Record]:
        """Delay messages until it may have been quiet for long enough, all of them or, if it was, none.

        Returns those that were put off, which is by so many seconds at most.
        """
        last = max([newest.last_modified, *(parsed.at for parsed in map(_parsed, records) if parsed)])
        left = math.ceil(min(last + self.seconds - self.now(), at_most))
        if left <= 0:
            return []
        for record in records:
            self.queue.delay(record["receiptHandle"], left)
        log.info("waiting for a quiet time", extra={"key": newest.key, "seconds": left})
        return records


_RESOLUTION_SECONDS = 1
"""Events and listings tell times in whole seconds, cut off."""


def uploaded(data: Bucket) -> list[ListedVersion]:
    """The uploads under `training/`, deleted since or not, by time; two at once always in the same order."""
    versions = data.versions(layout.TRAINING_PREFIX, "")
    return sorted(versions, key=lambda v: (v.last_modified, v.key, v.version_id))


@dataclass(frozen=True, kw_only=True)
class _UploadMessage:
    """The upload that a message tells of, and when it was there (epoch seconds)."""

    key: str
    version_id: str
    at: float


def _parsed(record: Record) -> _UploadMessage | None:
    """Parse a message; None where it is about no upload, as one sent by hand."""
    try:
        event = json.loads(record["body"])
        named = Upload.of(event)
        at = datetime.fromisoformat(event["time"]).timestamp()
    except (ValueError, KeyError, TypeError):
        return None
    return _UploadMessage(key=named.key, version_id=named.version_id, at=at) if named.version_id else None
