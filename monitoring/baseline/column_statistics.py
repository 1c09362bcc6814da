"""The statistics of a column, and the part of its counts that each of them takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline import statistics
from monitoring.baseline.bins import Bins, Integers, NumberBins

Array = NDArray[Any]

NUMBER_STATISTICS = ("ks", "psi", "js", "wasserstein")
CATEGORY_STATISTICS = ("psi", "js", "tv", "chi2")
SQUARES = ("psi", "chi2")
"""Statistics that grow with the square of a small difference."""

GROUPS = 10
"""Bins of a number are put together to so many of about as many rows, for what sums over bins."""
RARE = 0.01
"""Values of a category with less than this share of the reference's rows are put together."""


@dataclass(frozen=True, eq=False)
class Measure:
    """The statistics of one column.

    `groups` [g] has the bin with which each group begins; missing is a group of its own.
    `widths` [bins - 2] of a number, in its standard deviations; None of a category.
    """

    groups: NDArray[np.intp]
    widths: NDArray[np.float64] | None

    @classmethod
    def of(cls, bins: Bins, reference: Integers, std: float) -> Self:
        """Choose the statistics of a column with these bins and counts."""
        if isinstance(bins, NumberBins):
            return cls(_deciles(reference), _widths(bins, std))
        return cls(_frequent(reference), None)

    def __call__(self, reference: Array, window: Array) -> dict[str, Array]:
        """Every statistic between counts of the reference and of a window [..., bins]: [...] each."""
        p = np.add.reduceat(np.asarray(reference, np.float64), self.groups, axis=-1)
        q = np.add.reduceat(np.asarray(window, np.float64), self.groups, axis=-1)
        values = {
            "psi": statistics.population_stability(p, q),
            "js": statistics.jensen_shannon(p, q),
        }
        if self.widths is None:
            return {
                **values,
                "tv": statistics.total_variation(p, q),
                "chi2": statistics.chi_squared(p, q),
            }
        apart = statistics.differences(reference[..., :-1], window[..., :-1])
        return {
            "ks": statistics.kolmogorov_smirnov(apart),
            **values,
            "wasserstein": statistics.wasserstein(apart, self.widths),
        }


def _deciles(counts: Integers) -> NDArray[np.intp]:
    """Return where groups of about as many known values begin, and the one of missing values."""
    before = np.concatenate([[0], np.cumsum(counts[:-2])])
    limits = np.linspace(0, counts[:-1].sum(), GROUPS + 1)[1:-1]
    starts = np.searchsorted(before, limits)
    return np.unique([0, *starts[starts < len(counts) - 1], len(counts) - 1])


def _frequent(counts: Integers) -> NDArray[np.intp]:
    """The rare values as one group, and each of the others."""
    rare = int(np.sum(counts[1:-1] < RARE * counts.sum()))
    return np.concatenate([[0], np.arange(rare + 1, len(counts))])


def _widths(bins: NumberBins, std: float) -> NDArray[np.float64]:
    """Return the part of the axis that the difference behind each bin stands for.

    Between two edges the distribution function is taken to rise evenly, unless it is known
    to rise at the edges only.
    """
    widths = np.zeros(len(bins.edges) + 1)
    if std > 0:
        apart = np.diff(bins.edges.astype(np.float64)) / std
        widths[1:-1] += apart if bins.exact else apart / 2
        widths[:-2] += 0 if bins.exact else apart / 2
    return widths
