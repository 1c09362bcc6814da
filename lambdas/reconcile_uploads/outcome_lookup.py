"""Looking for the outcomes of uploads, several at a time. What cannot be looked for counts as without."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from adapters.errors import AwsError
from adapters.ports import Bucket, ListedVersion
from contract import layout
from lambdas.reconcile_uploads.schedule import LOOKBACK_SECONDS

log = logging.getLogger(__name__)

LOOKUPS_AT_A_TIME = 8


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Looks into the two buckets. `now` is in epoch seconds; `failures` are those so far."""

    data: Bucket
    results: Bucket
    now: Callable[[], float]
    failures: list[AwsError] = field(default_factory=list)

    def without_outcome(self, versions: Iterable[ListedVersion]) -> list[ListedVersion]:
        """Those uploads that have none, in their order."""
        versions = list(versions)
        with ThreadPoolExecutor(LOOKUPS_AT_A_TIME) as pool:
            outcomes = pool.map(self._has_outcome, versions)
            return [version for version, outcome in zip(versions, outcomes, strict=True) if not outcome]

    def is_waited_for(self, version: ListedVersion) -> bool:
        """Return True if somebody may still want the outcome of an upload: it is there, and not too old."""
        if self.now() - version.last_modified > LOOKBACK_SECONDS:
            log.error("no outcome in two weeks: given up", extra=named(version))
            return False
        try:
            return self.data.has_version(version.key, version.version_id)
        except AwsError as failure:
            self._note(failure, version)
            return True

    def _has_outcome(self, version: ListedVersion) -> bool:
        try:
            # With both, a delivery was killed before it could withdraw one: put back, the next one does.
            return self.results.holds(
                layout.scored_stem(version.key, version.version_id)
            ) != self.results.exists(layout.unscorable_key(version.key, version.version_id))
        except AwsError as failure:
            # As far as anybody knows it has none, and to put it back does no harm.
            self._note(failure, version)
            return False

    def _note(self, failure: AwsError, version: ListedVersion) -> None:
        log.error("the outcome could not be looked up", exc_info=failure, extra=named(version))
        self.failures.append(failure)


def named(version: ListedVersion) -> dict[str, str]:
    """An upload as a line of the log names it."""
    return {"key": version.key, "version_id": version.version_id}
