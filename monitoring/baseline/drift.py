"""The test of a window against the baseline: differences that chance does not explain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from monitoring.baseline.bins import Counts, Integers, NumberBins
from monitoring.baseline.document import Baseline, Reference
from monitoring.baseline.null_distribution import HIGHEST_RATE, LOWEST_RATE, WINDOWS
from monitoring.baseline.resampling import CELLS

FEWEST_ROWS = WINDOWS[0]
_FLOORS = ("ks", "tv")
_FLOOR_ROWS = 5


@dataclass(frozen=True, kw_only=True)
class Drift:
    """The difference of one column of a window.

    `thresholds` are of the same statistics, and empty where the window has less than
    `FEWEST_ROWS` rows. `missing` has the share of the reference and of the window, `unknown` the
    shares of a category's values that are not listed, or of numbers out of the reference's range.
    """

    rows: int
    statistics: Mapping[str, float]
    thresholds: Mapping[str, float]
    missing: tuple[float, float]
    unknown: tuple[float, float]

    @property
    def exceeded(self) -> tuple[str, ...]:
        """The statistics above their threshold: with any, the column has drifted."""
        return tuple(name for name, limit in self.thresholds.items() if self.statistics[name] > limit)

    @property
    def drifted(self) -> bool:
        return bool(self.exceeded)


def drift(baseline: Baseline, window: Counts, *, false_alarm_rate: float = 0.01) -> dict[str, Drift]:
    """Each column of a window, as `Baseline.count` counted it, against the baseline.

    `false_alarm_rate` is that of the window as a whole: the share of windows in which any of the
    columns seems to have drifted although none has. It is shared out among columns as if they were
    independent (Šidák, 1967) and among the statistics of each by how far they are; columns that
    go together make it less, never more.

    Raises:
        ValueError: the rate is out of bounds once shared out.
    """
    compared = {name: counts for name, counts in window.items() if name in baseline.columns}
    each = _each(false_alarm_rate, len(compared))
    return {name: _drift(baseline.columns[name], counts, each) for name, counts in compared.items()}


def threshold(
    baseline: Baseline, statistic: str, column: str, window_rows: int, false_alarm_rate: float
) -> float:
    """Return what one statistic of one column exceeds in this share of undisturbed windows.

    Windows may have any number of rows from `FEWEST_ROWS`; beyond the largest that was drawn the
    threshold is that one's, which is too high if anything. One statistic is one test: who looks
    at several shares the rate out, as `drift` does.

    Raises:
        KeyError: there is no such column, or it has no such statistic.
        ValueError: too few rows, or a rate for which the null is not known.
    """
    if window_rows < FEWEST_ROWS:
        raise ValueError(f"a window of {window_rows} rows; {FEWEST_ROWS} are needed to judge it")
    return threshold_of(baseline.columns[column], statistic, window_rows, false_alarm_rate)


def _each(rate: float, tests: float) -> float:
    return -math.expm1(math.log1p(-rate) / max(tests, 1))


def threshold_of(reference: Reference, statistic: str, rows: int, rate: float) -> float:
    """Between two sizes, on the straight line of the logarithms: a power of rows, as theory has it."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ValueError(f"a false-alarm rate is {LOWEST_RATE:g} to {HIGHEST_RATE:g} a test, not {rate:g}")
    sizes = sorted(reference.nulls, reverse=True)
    spread = np.log([1 / size + 1 / max(reference.rows, 1) for size in sizes])
    limits = [reference.nulls[size].threshold(statistic, rate) for size in sizes]
    threshold = math.exp(
        np.interp(math.log(1 / rows + 1 / max(reference.rows, 1)), spread, np.log(np.maximum(limits, 1e-12)))
    )
    # Differences this small are below what the grid of the draws resolves.
    return max(threshold, 2 / CELLS + _FLOOR_ROWS / rows) if statistic in _FLOORS else threshold


def _drift(reference: Reference, counts: Integers, rate: float) -> Drift:
    statistics = {name: float(value) for name, value in reference.measure(reference.counts, counts).items()}
    rows = int(counts.sum())
    limits = {}
    if rows >= FEWEST_ROWS:
        each = _each(rate, max(null.tests for null in reference.nulls.values()))
        limits = {name: threshold_of(reference, name, rows, each) for name in statistics}
    beyond = [0, -2] if isinstance(reference.bins, NumberBins) else [0]
    return Drift(
        rows=rows,
        statistics=statistics,
        thresholds=limits,
        missing=(_share(reference.counts, [-1]), _share(counts, [-1])),
        unknown=(_share(reference.counts, beyond), _share(counts, beyond)),
    )


def _share(counts: Integers, places: list[int]) -> float:
    return float(counts[places].sum() / max(counts.sum(), 1))
