"""How many instances target tracking wants. Pure: what is measured and when is told to it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SLACK = 0.9
"""AWS's alarm for scaling in is at 90% of the target."""
_DEFAULT_COOLDOWN_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Range:
    """The capacities a scalable target may have."""

    minimum: int
    maximum: int

    def clamp(self, capacity: int) -> int:
        return max(self.minimum, min(self.maximum, capacity))


def wanted(per_instance: float, capacity: int, policy: Mapping[str, Any], since_last: float) -> int:
    """The capacity that brings invocations per instance and minute to the policy's target.

    `policy` is a TargetTrackingScalingPolicyConfiguration, `since_last` the seconds since capacity
    last changed. Within a cooldown, and between 90% and 100% of the target, nothing changes.
    """
    target = policy["TargetValue"]
    needed = max(1, math.ceil(capacity * per_instance / target))
    if per_instance > target:
        cooldown = policy.get("ScaleOutCooldown", _DEFAULT_COOLDOWN_SECONDS)
        return max(needed, capacity) if since_last >= cooldown else capacity
    cooldown = policy.get("ScaleInCooldown", _DEFAULT_COOLDOWN_SECONDS)
    scales_in = per_instance < _SLACK * target and not policy.get("DisableScaleIn")
    return min(needed, capacity) if scales_in and since_last >= cooldown else capacity
