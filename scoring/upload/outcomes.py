"""The one object that is an upload's outcome, and its commit.

The creation of that object is the commit. An upload's bytes decide which outcome it has,
but for one thing: whether a column is missing is the live model's to say. (The size limit
is a setting, and moves as rarely.) So both keys are looked at before scoring and again
right before the commit, and within one file only the first answer may say it. Two
deliveries at once that see two models needing different columns could still commit both
within the same milliseconds. So each looks again after its commit, when S3 shows at least
one of them both objects: the scored one stays, and the other is withdrawn.
Where that delivery is killed before, reconciliation finds both and puts the upload back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO

from adapters.errors import AlreadyExists
from adapters.ports import Bucket, Metrics, StoredObject
from adapters.retry import RetryPolicy
from contract import layout
from contract.events import Upload
from contract.names.metrics import SHARE_ROWS, Dimension, Metric
from contract.reasons import Unscorable
from scoring.upload.score import Result

log = logging.getLogger(__name__)

Create = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The two objects of which an upload gets one. `patience` is with the commit itself."""

    upload: Upload
    results: Bucket
    metrics: Metrics
    retry: RetryPolicy

    def settled(self) -> str | None:
        """The prefix under which the upload has its outcome, if it has one. Of two, one is withdrawn."""
        scored = self.results.holds(layout.scored_stem(self.upload.key, self.upload.version_id))
        if not self.results.exists(self._unscorable):
            return layout.SCORED_PREFIX if scored else None
        if not scored:
            return layout.UNSCORABLE_PREFIX
        self.results.withdraw(self._unscorable)
        log.warning(
            "scored by one model and unscorable to another: scored", extra={"withdrawn": self._unscorable}
        )
        return layout.SCORED_PREFIX

    def commit_scored(self, file: IO[bytes], result: Result, stored: StoredObject) -> None:
        """Make a result the outcome, unless there is one."""
        self.commit_created(self._creating(file), result, stored)

    def commit_created(self, create: Create, result: Result, stored: StoredObject) -> None:
        """The same of a result that `create` writes: to a key, with a content type, if nothing is there."""
        key = layout.scored_key(self.upload.key, self.upload.version_id, result.extension)
        if not self._commit(key, create, result.content_type):
            return
        rows = result.scored + result.rejected
        counts = {"rows": rows, "rejected": result.rejected, "unseen": dict(result.unseen)}
        log.info("scored", extra={**counts, "result": key})
        self.metrics.emit(
            {
                Metric.UPLOADS_SCORED: 1,
                Metric.ROWS_SCORED: result.scored,
                Metric.ROWS_REJECTED: result.rejected,
                Metric.REJECTED_ROW_SHARE: 100 * result.rejected / rows,
                Metric.UNSEEN_CATEGORY_SHARE: _unseen_share(result),
                Metric.SECONDS_TO_RESULT: _age(stored),
            }
        )
        for feature, count in result.unseen.items():
            self.metrics.emit({Metric.UNSEEN_CATEGORIES: count}, {Dimension.FEATURE: feature})

    def commit_unscorable(self, why: Unscorable, stored: StoredObject) -> None:
        """Make a document that says why the outcome, unless there is one."""
        document = why.to_json(self.upload)
        create = self._creating(BytesIO(document.encode()))
        if not self._commit(self._unscorable, create, "application/json"):
            return
        log.warning(
            "unscorable", extra={"reason": why.code, "detail": why.message, "result": self._unscorable}
        )
        self.metrics.emit({Metric.UPLOADS_UNSCORABLE: 1, Metric.SECONDS_TO_RESULT: _age(stored)})

    @property
    def _unscorable(self) -> str:
        return layout.unscorable_key(self.upload.key, self.upload.version_id)

    def _creating(self, body: IO[bytes]) -> Create:
        def create(key: str, content_type: str) -> None:
            body.seek(0)
            self.results.create(key, body, content_type)

        return create

    def _commit(self, key: str, create: Create, content_type: str) -> bool:
        """Whether this delivery gave the upload its outcome; if not, another did."""
        created = False
        if not self.settled():
            with suppress(AlreadyExists):
                self.retry(lambda: create(key, content_type))
                created = True
            # Also where the object was there: a lost answer may have been to this delivery's own attempt.
            created = key.startswith(str(self.settled())) and created
        if not created:
            log.info("another delivery was first")
        return created


def _unseen_share(result: Result) -> float:
    if result.scored < SHARE_ROWS:
        return 0.0
    return 100 * max(result.unseen.values(), default=0) / result.scored


def _age(stored: StoredObject) -> float:
    return max(0.0, (datetime.now(UTC) - stored.last_modified).total_seconds())
