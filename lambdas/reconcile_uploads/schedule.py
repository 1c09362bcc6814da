"""At which ages an upload is looked at that has no outcome: often while young, and as long as it matters."""

from __future__ import annotations

from adapters.ports import ListedVersion
from lambdas.reconcile_uploads.checkpoint import Progress

DAY_SECONDS = 24 * 3600
LOOKBACK_SECONDS = 14 * DAY_SECONDS
"""The longest that SQS keeps a message. Results are kept for longer: an older upload may have lost one."""
AGAIN_FACTOR = 4


def is_due(version: ListedVersion, progress: Progress, after_seconds: int) -> bool:
    """Return True if an upload passed one of the ages at which it is looked up since the sweep before.

    They are `after_seconds`, and 4, 16, 64… times that.
    """
    age, age_before = (moment - version.last_modified for moment in (progress.started, progress.previous))
    passed: float = after_seconds
    while passed <= age <= LOOKBACK_SECONDS:
        if age_before < passed:
            return True
        passed *= AGAIN_FACTOR
    return False
