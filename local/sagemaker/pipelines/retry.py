"""When a step that failed is tried again. No clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def delay(
    policies: Iterable[Mapping[str, Any]], exception_type: str, attempt: int, elapsed: float
) -> float | None:
    """Seconds to wait before the attempt after `attempt` (the first is 1); None if there is none.

    `elapsed` is the seconds since the first attempt began. The first policy that covers the type decides.
    """
    policy = next((policy for policy in policies if exception_type in policy["ExceptionType"]), None)
    if policy is None or attempt >= policy.get("MaxAttempts", float("inf")):
        return None
    seconds = float(policy.get("IntervalSeconds", 1) * policy.get("BackoffRate", 2.0) ** (attempt - 1))
    if elapsed + seconds > policy.get("ExpireAfterMin", float("inf")) * 60:
        return None
    return seconds
