"""The size that a statistic of drift reaches when nothing has changed, and the threshold that follows.

Windows of undisturbed rows are drawn at several sizes and compared with the reference as it is. It is
a sample, and so is what else is known of where its rows come from (`monitoring.baseline.bin_weights`): so
that is drawn anew for each window (Rubin, 1981: the Bayesian bootstrap, here of counts, which is all
that a statistic sees). What was drawn is kept as three numbers. For the statistics here, or their
square roots where they are squares, the upper tail of the null follows

    (s − c)² = a + k ln(1/α)

at the share α of windows above s: exactly so, with c = 0, for Kolmogorov–Smirnov and for χ² with
two degrees of freedom, and nearly for other norms of a Gaussian process (Borell, 1975), of which
all of these are in large windows. The three are fitted to the upper half of the draws.

What to expect of it: down to 1 in 200, the draws themselves. Beyond, the line is extended, with a
margin: at 1 in a million the true rate is within about a factor of five of the stated one.
`LOWEST_RATE` is the end. Draws know nothing of seasons or of rows that come in clusters: the
rate is that of windows of independent rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.bins import Integers
from monitoring.baseline.column_statistics import SQUARES, Measure
from monitoring.baseline.resampling import RESAMPLES, Draws

WINDOWS = (100, 1_000, 10_000, 100_000)
"""Rows of the windows that are drawn; thresholds of sizes between are interpolated."""
LOWEST_RATE = 1e-8
HIGHEST_RATE = 0.5

_LEVELS = np.geomspace(0.5, 10 / RESAMPLES, 24)
_DEPTHS = np.log(1 / _LEVELS)
_MARGIN = 1.05
"""Widens what is extrapolated: a fitted line errs to either side, a threshold should not."""
_JOINT_LEVEL = 0.05


@dataclass(frozen=True)
class Tail:
    """The upper tail of one statistic's null: see the module."""

    centre: float
    offset: float
    slope: float

    @classmethod
    def fit(cls, draws: NDArray[np.floating]) -> Self:
        """Least squares over the upper half of the draws [n], weighted as quantiles vary."""
        at = np.quantile(draws, 1 - _LEVELS)
        weights = 1 / np.sqrt(_DEPTHS + 0.5)
        columns = np.column_stack([2 * at, np.ones_like(at), _DEPTHS])
        centre, offset, slope = _solve(columns, at**2, weights)
        if not 0 <= centre <= at[0]:
            centre = min(max(centre, 0.0), float(at[0]))
            offset, slope = _solve(columns[:, 1:], at**2 - 2 * centre * at, weights)
        return cls(centre, offset, max(slope, 0.0))

    def at(self, rate: float) -> float:
        """Return the value that this share of windows, 0 to 0.5, lies above."""
        depth, fitted = math.log(1 / rate), float(_DEPTHS[-1])
        depth += max(0.0, depth - fitted) * (_MARGIN - 1)
        return self.centre + math.sqrt(max(0.0, self.centre**2 + self.offset + self.slope * depth))


@dataclass(frozen=True)
class Null:
    """The null of each statistic at one size of window.

    `tests` is how many independent statistics they are worth together: several statistics of
    one column mostly raise the same alarm.
    """

    tails: Mapping[str, Tail]
    tests: float

    @classmethod
    def of(cls, draws: Mapping[str, NDArray[np.floating]]) -> Self:
        """Of statistics [n] of the same n windows each."""
        tails = {name: Tail.fit(_rooted(name, drawn)) for name, drawn in draws.items()}
        return cls(tails, _effective_tests(list(draws.values())))

    def threshold(self, statistic: str, rate: float) -> float:
        """Return the value that a statistic exceeds in this share of undisturbed windows."""
        value = self.tails[statistic].at(rate)
        return value**2 if statistic in SQUARES else value


def simulate(
    measure: Measure, reference: Integers, weights: NDArray[np.floating], windows: Mapping[int, Draws]
) -> dict[int, Null]:
    """The nulls, by the windows' size, of a column with these counts [bins] and weights [bins]."""
    return {size: Null.of(measure(reference, window.counts(weights))) for size, window in windows.items()}


def _rooted(statistic: str, drawn: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.sqrt(drawn) if statistic in SQUARES else drawn


def _effective_tests(draws: Sequence[NDArray[np.floating]]) -> float:
    """So many independent tests raise any alarm as often (min-P: Westfall and Young, 1993, ch. 2)."""
    ranks = [np.sort(drawn).searchsorted(drawn, side="left") for drawn in draws]
    rates = 1 - np.max(ranks, axis=0) / len(draws[0])
    each = float(np.quantile(rates, _JOINT_LEVEL))
    return min(max(_JOINT_LEVEL / max(each, 1e-9), 1.0), float(len(draws)))


def _solve(columns: Any, target: Any, weights: Any) -> list[float]:
    solution: list[float] = np.linalg.lstsq(columns * weights[:, None], target * weights)[0].tolist()
    return solution
