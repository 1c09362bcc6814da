"""When a failed step is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from local.sagemaker.pipelines.retry import delay

THROTTLED = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 2, "BackoffRate": 3.0, "MaxAttempts": 3}
EXPIRING = {"ExceptionType": ["Step.SERVICE_FAULT"], "ExpireAfterMin": 1}


@pytest.mark.parametrize(
    ("kind", "attempt", "elapsed", "expected"),
    [
        ("Step.THROTTLING", 1, 0.0, 2.0),
        ("Step.THROTTLING", 2, 5.0, 6.0),
        ("Step.THROTTLING", 3, 20.0, None),
        ("Step.SERVICE_FAULT", 1, 0.0, 1.0),
        ("Step.SERVICE_FAULT", 9, 60.0, None),
        ("", 1, 0.0, None),
    ],
)
def test_first_policy_that_covers_the_failure_decides(
    kind: str, attempt: int, elapsed: float, expected: float | None
) -> None:
    policies: list[dict[str, Any]] = [THROTTLED, EXPIRING]
    assert delay(policies, kind, attempt, elapsed) == expected
