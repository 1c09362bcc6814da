"""Target tracking, as numbers."""

from __future__ import annotations

from typing import Any

import pytest

from local.autoscaling.tracking import Range, wanted

POLICY = {"TargetValue": 100.0, "ScaleOutCooldown": 60, "ScaleInCooldown": 300}


@pytest.mark.parametrize(
    ("per_instance", "capacity", "expected"),
    [
        (100, 2, 2),  # at the target
        (101, 2, 3),
        (450, 2, 9),  # all at once
        (95, 3, 3),  # not below 90% of it
        (40, 5, 2),
        (0, 3, 1),
    ],
)
def test_capacity_brings_the_rate_to_the_target(per_instance: float, capacity: int, expected: int) -> None:
    assert wanted(per_instance, capacity, POLICY, since_last=1000) == expected


@pytest.mark.parametrize(
    ("per_instance", "since", "expected"),
    [(500, 59, 2), (500, 60, 10), (10, 60, 2), (10, 299, 2), (10, 300, 1)],
)
def test_each_direction_has_its_own_cooldown(per_instance: float, since: float, expected: int) -> None:
    assert wanted(per_instance, 2, POLICY, since_last=since) == expected


def test_scaling_in_may_be_off() -> None:
    policy: dict[str, Any] = {**POLICY, "DisableScaleIn": True}
    assert wanted(0, 4, policy, since_last=1000) == 4
    assert wanted(200, 4, policy, since_last=1000) == 8


def test_a_range_holds_capacity() -> None:
    limits = Range(minimum=2, maximum=4)
    assert [limits.clamp(n) for n in (1, 3, 9)] == [2, 3, 4]
