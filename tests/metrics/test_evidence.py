"""Evidence adds up over windows, and rings as rarely as stated."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.evidence import Evidence, e_values, limit


def windows_to_alarm(threshold: float, chains: int, shift: float = 0.0) -> np.ndarray:
    """Windows until each of many streams of p-values rings; under a shift they are smaller than uniform."""
    random = np.random.default_rng(0)
    total, windows = np.zeros(chains), np.zeros(chains)
    ringing = np.zeros(chains, bool)
    while not ringing.all():
        p = random.random(chains) ** (1 + shift)
        total = np.where(ringing, total, (total + 1) * e_values(p))
        windows += ~ringing
        ringing |= total >= threshold
    return windows


def test_an_e_value_is_one_on_average_where_nothing_has_changed() -> None:
    p = (np.arange(2_000_000) + 0.5) / 2_000_000
    assert 0.9 < e_values(p).mean() <= 1.0


@pytest.mark.parametrize("windows", [24, 365])
def test_false_alarms_are_as_far_apart_as_stated(windows: int) -> None:
    apart = windows_to_alarm(limit(windows), 2_000)
    assert abs(apart.mean() / windows - 1) < 0.1


def test_a_change_is_found_long_before_a_false_alarm() -> None:
    assert np.median(windows_to_alarm(limit(365), 500, shift=3.0)) < 10


def test_a_change_is_dated_by_the_window_it_began_with() -> None:
    evidence = Evidence()
    for number in range(40):
        evidence = evidence.add(float(e_values(0.6 if number < 30 else 0.001)), f"window {number}")
    assert evidence.since == "window 30"
    assert evidence.total > limit(365)
