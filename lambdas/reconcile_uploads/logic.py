"""Uploads that have no outcome although they should: found with little listing, put back once.

S3 lists by key only, so that finding the latest uploads means listing all of them. A
*sweep* does that in as many runs as it takes, a bounded number of versions each; what a
run costs does not grow with the bucket, only the time until a sweep is through.

Listing an upload is cheap, looking for its outcome is not. So an upload is looked at only
in the sweep after its age passed the configured one, and again at 4, 16, 64… times that,
since an object made by a multipart upload appears with the time at which that began.

What is found is put back on the queue once, which mends a lost event. If it still has no
outcome, its message is in the queue or with the dead letters, and a person's to redrive;
each run says how many there are, until there are none: one alarm, not one a run.

A large upload whose batch runs is late, not lost: it is waited for, and neither put back nor
counted before its batch has ended without an outcome.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from adapters.errors import AwsError
from adapters.ports import Bucket, ListedVersion, Metrics, Outbox, StateMachine
from contract import layout
from contract.events import object_created
from contract.names.metrics import Metric
from lambdas.reconcile_uploads.checkpoint import Progress, load, save
from lambdas.reconcile_uploads.outcome_lookup import Lookup, named
from lambdas.reconcile_uploads.schedule import is_due

log = logging.getLogger(__name__)

VERSIONS_A_RUN = 100_000
MAX_WAITING = 1000
"""With as many uploads broken, finding more helps nobody: the sweep waits at its place."""
LOOKUPS_BETWEEN_SAVES = 20
"""The most that a crash may cost. A save costs as much as one lookup. The first saves come sooner, or a
function that is always killed at the same time would never get on."""
RESERVED_SECONDS = 30.0
"""Kept for the last looks and the progress."""


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """The dependencies of reconciliation. `time_left` is in seconds, `now` in epoch seconds."""

    data: Bucket
    results: Bucket
    artifacts: Bucket
    queue: Outbox
    batches: StateMachine
    metrics: Metrics
    after_seconds: int
    time_left: Callable[[], float]
    now: Callable[[], float]
    versions_a_run: int = VERSIONS_A_RUN
    max_waiting: int = MAX_WAITING


def reconcile(reconciler: Reconciler) -> dict[str, Any]:
    """Go on with the sweep, put back what it finds, and say how many uploads have no outcome.

    Raises:
        AwsError: something could not be done. What could is remembered; the next run does the rest.
    """
    run = _Run(reconciler)
    run.recheck()
    run.sweep()
    without_outcome = len(run.progress.waiting) - run.in_batches
    summary = {
        "without_outcome": without_outcome,
        "in_batches": run.in_batches,
        "put_back": run.put_back,
        "complete": run.progress.complete,
    }
    log.info("reconciled", extra=summary)
    reconciler.metrics.emit({Metric.UPLOADS_WITHOUT_OUTCOME: without_outcome})
    for failure in run.failures:
        raise failure
    return summary


class _Run:
    """The state of one run."""

    def __init__(self, reconciler: Reconciler) -> None:
        self.progress = load(reconciler.artifacts, reconciler.now())
        self.put_back = 0
        self._reconciler = reconciler
        self._lookup = Lookup(data=reconciler.data, results=reconciler.results, now=reconciler.now)
        self.failures = self._lookup.failures
        # Before the first look for an outcome: a batch that ends in between has its own by then.
        self._running = self._batches()

    @property
    def in_batches(self) -> int:
        """The number of waiting uploads whose batch is still running."""
        return sum(map(self._is_in_batch, self.progress.waiting))

    def recheck(self) -> None:
        """Forget the uploads that are waited for no longer."""
        waiting = filter(self._lookup.is_waited_for, self._lookup.without_outcome(self.progress.waiting))
        self._remember(replace(self.progress, waiting=tuple(waiting)))

    def sweep(self) -> None:
        """List from where the sweep stands to its end, or as far as one run may go."""
        seen, save_after, due = 0, 1, list[ListedVersion]()
        if self._must_stop(seen) or self.progress.complete:
            return
        listed = self._reconciler.data.versions(layout.SCORE_PREFIX, self.progress.after)
        for key, versions in groupby(listed, lambda version: version.key):
            for version in versions:
                seen += 1
                if _is_upload(version) and is_due(version, self.progress, self._reconciler.after_seconds):
                    due.append(version)
            if len(due) >= save_after or self._must_stop(seen):
                self._put_back(due)
                self._remember(replace(self.progress, after=key))
                due.clear()
                save_after = min(2 * save_after, LOOKUPS_BETWEEN_SAVES)
                if self._must_stop(seen):
                    return
        self._put_back(due)
        self._remember(replace(self.progress, complete=True))

    def _must_stop(self, seen: int) -> bool:
        reconciler = self._reconciler
        return (
            seen >= reconciler.versions_a_run
            or len(self.progress.waiting) >= reconciler.max_waiting
            or reconciler.time_left() < RESERVED_SECONDS
            or len(self.failures) >= LOOKUPS_BETWEEN_SAVES
        )

    def _put_back(self, due: Iterable[ListedVersion]) -> None:
        known = set(self.progress.waiting)
        without_outcome = [version for version in self._lookup.without_outcome(due) if version not in known]
        lost = [version for version in without_outcome if not self._is_in_batch(version)]
        for version in lost:
            log.warning("no outcome: sent to the queue again", extra=named(version))
        # Before it is remembered: an upload put back twice does no harm, one never put back would.
        self._reconciler.queue.send([_message(version, self._reconciler.data.name) for version in lost])
        self.put_back += len(lost)
        self.progress = replace(self.progress, waiting=(*self.progress.waiting, *without_outcome))

    def _batches(self) -> Collection[str]:
        try:
            return {layout.batch_of(name) for name in self._reconciler.batches.running()}
        except AwsError as failure:
            # To put back what is being scored does no harm.
            log.exception("running batches could not be listed")
            self.failures.append(failure)
            return ()

    def _is_in_batch(self, version: ListedVersion) -> bool:
        return layout.batch_id(version.key, version.version_id) in self._running

    def _remember(self, progress: Progress) -> None:
        save(self._reconciler.artifacts, progress)
        self.progress = progress


def _is_upload(version: ListedVersion) -> bool:
    return not version.key.endswith("/") and version.version_id != "null"


def _message(version: ListedVersion, bucket: str) -> str:
    return json.dumps(object_created(bucket=bucket, **named(version), reason="Reconciliation"))
