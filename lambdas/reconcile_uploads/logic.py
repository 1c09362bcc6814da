"""Which uploads have no outcome although they should: found with little listing, put back once.

S3 lists by key only, so that finding the latest uploads means listing all of them. A
*sweep* does that in as many runs as it takes, a bounded number of pages each; what it
costs does not grow with the bucket, only the time until a sweep is through.

Listing an upload is cheap, looking for its outcome is not. So an upload is looked at only
in the sweep after its age passed the configured one, and again at 4, 16, 64… times that,
since an object made by a multipart upload appears with the time at which that began.

What is found is put back on the queue once, which mends a lost event. If it still has no
outcome, its message is in the queue or with the dead letters, and a person's to redrive;
the run says how many there are, until there are none: one alarm, not one a run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from contract import layout
from contract.events import object_created
from contract.metrics import Metric
from lambdas.adapters.ports import Bucket, ListedVersion, Metrics, Outbox
from lambdas.reconcile_uploads.progress import Progress, load, save

log = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600
LOOK_BACK_SECONDS = 14 * DAY_SECONDS
"""As long as SQS keeps a message. Results are kept for longer: an older upload may have lost its own."""
AGAIN_FACTOR = 4
PAGES_A_RUN = 100
"""Of a thousand versions each."""
MAX_WAITING = 1000
"""With as many uploads broken, finding more helps nobody: the sweep waits at its place."""
RESERVED_SECONDS = 30.0
"""Kept for one more page and for the progress."""
LOOKS_AT_A_TIME = 8


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """What reconciliation needs. `time_left` is in seconds, `now` in epoch seconds."""

    data: Bucket
    results: Bucket
    artifacts: Bucket
    queue: Outbox
    metrics: Metrics
    after_seconds: int
    time_left: Callable[[], float]
    now: Callable[[], float]
    pages_a_run: int = PAGES_A_RUN
    max_waiting: int = MAX_WAITING


def reconcile(reconciler: Reconciler) -> dict[str, Any]:
    """Go on with the sweep, put back what it finds, and say how many uploads have no outcome.

    Raises:
        AwsError: the next run begins where this one did.
    """
    progress = load(reconciler.artifacts, reconciler.now())
    progress = replace(progress, waiting=_still_waiting(progress.waiting, reconciler))
    put_back = 0
    for _ in range(reconciler.pages_a_run):
        is_full = len(progress.waiting) >= reconciler.max_waiting
        if progress.complete or is_full or reconciler.time_left() < RESERVED_SECONDS:
            break
        progress, found = _next_page(progress, reconciler)
        put_back += found
    save(reconciler.artifacts, progress)
    said = {
        "without_outcome": len(progress.waiting),
        "put_back": put_back,
        "complete": progress.complete,
    }
    log.info("reconciled", extra=said)
    reconciler.metrics.emit({Metric.UPLOADS_WITHOUT_OUTCOME: len(progress.waiting)})
    return said


def _next_page(progress: Progress, reconciler: Reconciler) -> tuple[Progress, int]:
    page = reconciler.data.versions(layout.SCORE_PREFIX, progress.after)
    due = [v for v in page.versions if _is_upload(v) and _is_due(v, progress, reconciler.after_seconds)]
    known = set(progress.waiting)
    found = [v for v in _without_outcome(due, reconciler.results) if v not in known]
    for version in found:
        log.warning("no outcome: put back", extra={"key": version.key, "version_id": version.version_id})
    # Before the progress is saved: an upload put back twice does no harm, one never put back would.
    reconciler.queue.send([_message(version, reconciler.data.name) for version in found])
    waiting = (*progress.waiting, *found)
    return replace(progress, after=page.next, complete=page.next is None, waiting=waiting), len(found)


def _is_upload(version: ListedVersion) -> bool:
    return not version.key.endswith("/") and version.version_id != "null"


def _is_due(version: ListedVersion, progress: Progress, after_seconds: int) -> bool:
    """Whether the upload passed one of the ages at which it is looked at since the sweep before."""
    age, age_before = (moment - version.last_modified for moment in (progress.started, progress.previous))
    passed: float = after_seconds
    while passed <= age <= LOOK_BACK_SECONDS:
        if age_before < passed:
            return True
        passed *= AGAIN_FACTOR
    return False


def _still_waiting(waiting: Iterable[ListedVersion], reconciler: Reconciler) -> tuple[ListedVersion, ...]:
    still = []
    for version in _without_outcome(waiting, reconciler.results):
        if reconciler.now() - version.last_modified > LOOK_BACK_SECONDS:
            named = {"key": version.key, "version_id": version.version_id}
            log.error("no outcome in two weeks: no longer waited for", extra=named)
        elif reconciler.data.has_version(version.key, version.version_id):
            still.append(version)
    return tuple(still)


def _without_outcome(versions: Iterable[ListedVersion], results: Bucket) -> list[ListedVersion]:
    versions = list(versions)
    with ThreadPoolExecutor(LOOKS_AT_A_TIME) as pool:
        settled = pool.map(lambda version: _has_outcome(version, results), versions)
        return [version for version, has_outcome in zip(versions, settled, strict=True) if not has_outcome]


def _has_outcome(version: ListedVersion, results: Bucket) -> bool:
    # The more frequent one first: the other is then not looked for.
    return results.holds(layout.scored_stem(version.key, version.version_id)) or results.exists(
        layout.unscorable_key(version.key, version.version_id)
    )


def _message(version: ListedVersion, bucket: str) -> str:
    event = object_created(
        bucket=bucket, key=version.key, version_id=version.version_id, reason="Reconciliation"
    )
    return json.dumps(event)
