"""A stated rate of false alarms is kept, whatever the column, and what did change is noticed.

Each window has a baseline of its own, so that alarms are independent: many windows against one
baseline would all be right, or all wrong, with that baseline's luck.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from monitoring.baseline import Baseline, drift
from monitoring.baseline.build import reference
from monitoring.baseline.resampling import Draws, windows

TRAINED, HELD_OUT = 400, 100
SMALL, LARGE = 200, 5_000
"""Rows of a window. In a large one, chance is all in the baseline."""
BASELINES = 60
RATE = 0.05

Random = np.random.Generator
Column = NDArray[Any]

_ZIPF = 1 / np.arange(1, 400) ** 1.2
_NAMES = np.array([f"z{n}" for n in range(len(_ZIPF))], object)

COLUMNS: dict[str, Callable[[Random, int], Column]] = {
    "normal": lambda random, n: random.normal(size=n),
    "heavy tail": lambda random, n: random.lognormal(0, 2, n),
    "whole numbers": lambda random, n: random.poisson(3, n).astype(float),
    "often missing": lambda random, n: np.where(random.random(n) < 0.4, np.nan, random.normal(size=n)),
    "two values": lambda random, n: np.where(random.random(n) < 0.3, "a", "b").astype(object),
    "many rare values": lambda random, n: random.choice(_NAMES, n, p=_ZIPF / _ZIPF.sum()),
}
CHANGES: dict[str, tuple[str, Callable[[Random, Column], Column]]] = {
    "half a standard deviation": ("normal", lambda _, column: column + 0.5),
    "twice as wide": ("normal", lambda _, column: column * 2),
    "fewer missing": (
        "often missing",
        lambda random, column: np.where(np.isnan(column) & (random.random(len(column)) < 0.5), 0, column),
    ),
    "a share of 30% is 45%": (
        "two values",
        lambda random, column: np.where(random.random(len(column)) < 0.22, "a", column),
    ),
    "a quarter are unknown values": (
        "many rare values",
        lambda random, column: np.where(random.random(len(column)) < 0.25, "new", column),
    ),
}


@cache
def draws(rows: int) -> dict[int, Draws]:
    return windows((rows,), TRAINED + HELD_OUT, np.random.default_rng(0))


def column(kind: str, random: Random, rows: int) -> Column:
    drawn = COLUMNS[kind](random, rows)
    return drawn if drawn.dtype == object else drawn.astype(np.float32)


def unchanged(_: Random, column: Column) -> Column:
    return column


@cache
def alarms(
    kind: str, rows: int, baselines: int, change: Callable[[Random, Column], Column] = unchanged
) -> int:
    """In how many windows, each with its own baseline, the column seems to have drifted."""
    random = np.random.default_rng(7)
    found = 0
    for _ in range(baselines):
        trained, held_out, window = (column(kind, random, n) for n in (TRAINED, HELD_OUT, rows))
        baseline = Baseline({"x": reference(trained, held_out, draws(rows))}, {})
        counts = baseline.count({"x": change(random, window)})
        found += drift(baseline, counts, false_alarm_rate=RATE)["x"].drifted
    return found


@pytest.mark.parametrize(
    ("kind", "rows"),
    [*((kind, LARGE) for kind in COLUMNS), ("normal", SMALL), ("many rare values", SMALL)],
)
def test_false_alarms_are_as_rare_as_stated(kind: str, rows: int) -> None:
    found = alarms(kind, rows, BASELINES)

    assert found <= stats.binom.ppf(0.999, BASELINES, RATE), f"{found} of {BASELINES} at a rate of {RATE}"


def test_false_alarms_are_not_much_rarer_either() -> None:
    found, windows_seen = sum(alarms(kind, LARGE, BASELINES) for kind in COLUMNS), BASELINES * len(COLUMNS)

    assert found >= stats.binom.ppf(0.001, windows_seen, RATE), (
        f"{found} of {windows_seen}: too high thresholds"
    )


@pytest.mark.parametrize("change", CHANGES)
def test_what_did_change_is_noticed(change: str) -> None:
    kind, changed = CHANGES[change]

    assert alarms(kind, LARGE, 10, changed) == 10
