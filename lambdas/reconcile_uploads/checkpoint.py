"""The progress of the search: a document that each run reads, and replaces when it is done.

It is a memory, no truth: without it the next run begins anew, and puts uploads back that
were put back before, which does no harm. So two runs at once need not agree either.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import Self

from adapters.errors import NotFound
from adapters.ports import Bucket, ListedVersion
from contract.layout import RECONCILIATION_KEY

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One sweep looks at the bucket as of `started`; the one before it did as of `previous` (epoch seconds).

    Every version of every key up to `after` was looked at, or `complete`ly all.
    `waiting` are uploads that were put back, or had a running batch, and no outcome when last looked at.
    """

    started: float
    previous: float = 0.0
    after: str = ""
    complete: bool = False
    waiting: tuple[ListedVersion, ...] = ()

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        document = json.loads(text)
        return cls(
            started=float(document["started"]),
            previous=float(document["previous"]),
            after=str(document["after"]),
            complete=bool(document["complete"]),
            waiting=tuple(ListedVersion(**version) for version in document["waiting"]),
        )


def load(artifacts: Bucket, now: float) -> Progress:
    """Return the progress to continue from: that of the last run, or of a new sweep."""
    try:
        last = Progress.from_json(artifacts.read(RECONCILIATION_KEY))
    except NotFound:
        log.info("no earlier progress: a new sweep begins")
    except (ValueError, LookupError, TypeError):
        log.exception("%s cannot be read: a new sweep begins", RECONCILIATION_KEY)
    else:
        following = Progress(started=now, previous=last.started, waiting=last.waiting)
        return following if last.complete else last
    return Progress(started=now)


def save(artifacts: Bucket, progress: Progress) -> None:
    artifacts.replace(RECONCILIATION_KEY, progress.to_json(), "application/json")
