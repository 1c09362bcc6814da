"""Which upload comes last, and whether it has been quiet since: a burst of uploads is one run.

Each upload has a message of its own. Only that of the newest is of use: it waits until nothing has
followed for the quiet time, and a later upload takes its place. So nothing needs to be remembered.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract import layout
from lambdas.adapters.ports import Bucket, ListedVersion, Queue

log = logging.getLogger(__name__)

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class QuietTime:
    """How long nothing may have been uploaded before a run starts. `now` is in epoch seconds."""

    seconds: int
    queue: Queue
    now: Callable[[], float]

    def wait(self, records: Sequence[Record], newest: ListedVersion) -> Sequence[Record]:
        """Put messages off until it may have been quiet for long enough, all of them or, if it was, none.

        Returns those that were put off.
        """
        left = math.ceil(newest.last_modified + self.seconds - self.now())
        if left <= 0:
            return []
        for record in records:
            self.queue.delay(record["receiptHandle"], left)
        log.info("not quiet yet", extra={"key": newest.key, "seconds": left})
        return records


def newest_upload(data: Bucket) -> ListedVersion | None:
    """The last upload under `training/`, deleted since or not; of two at once it is always the same."""
    found = data.versions(layout.TRAINING_PREFIX, "")
    return max(found, key=lambda v: (v.last_modified, v.key, v.version_id), default=None)


def of_interest(records: Sequence[Record], newest: ListedVersion) -> list[Record]:
    """The messages that tell of the newest upload, or of none: the others' uploads were followed by it."""
    return [record for record in records if _told(record) in (None, (newest.key, newest.version_id))]


def _told(record: Record) -> tuple[str, str] | None:
    """Key and version of the upload that a message tells of; None where it tells of none, as sent by hand."""
    try:
        uploaded = json.loads(record["body"])["detail"]["object"]
        return str(uploaded["key"]), str(uploaded["version-id"])
    except (ValueError, KeyError, TypeError):
        return None
