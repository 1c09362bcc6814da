"""The probability of a column's statistics where nothing has changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.bins import Integers
from monitoring.baseline.document import Reference
from monitoring.baseline.drift import FEWEST_ROWS, threshold_of
from monitoring.baseline.null_distribution import HIGHEST_RATE, LOWEST_RATE

SHARE_OF_REFERENCE = 10
"""A window is judged by at most a tenth as many rows as its reference has, if that is enough for a null.

More would measure the reference's own error, which is the same in every window: evidence of that adds up.
"""
_RATES = np.geomspace(HIGHEST_RATE, LOWEST_RATE, 48)
_DEPTHS = np.log(np.concatenate([[1.0], _RATES]))


def judged_rows(reference: Reference, rows: int) -> int:
    """By how many of a window's rows a column is judged."""
    return min(rows, max(reference.rows // SHARE_OF_REFERENCE, FEWEST_ROWS))


def thinned(reference: Reference, counts: Integers, random: np.random.Generator) -> Integers:
    """As many of a window's rows as it is judged by, drawn without replacement: counts [bins]."""
    rows = judged_rows(reference, int(counts.sum()))
    return random.multivariate_hypergeometric(counts, rows) if rows < counts.sum() else counts


def p_values(
    reference: Reference,
    counts: NDArray[Any],
    rows: int,
    *,
    least_change: float = 0.0,
    against: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """The probability [...] of a column's least probable statistic, of counts [..., bins] of `rows` each.

    Several statistics are one test together (Šidák, 1967, with `Null.tests` of them). `least_change` is
    taken off those that are distances (KS and TV in shares of rows, Wasserstein in standard deviations):
    by the triangle inequality the rest is no more than chance, as long as no column is further away.
    `against` are other counts [bins] of the reference's rows, to compare with instead of its own.
    """
    measured = reference.measure(reference.counts if against is None else against, counts)
    tests = max((null.tests for null in reference.nulls.values()), default=1.0)
    least = np.ones(np.shape(counts)[:-1])
    for name, value in measured.items():
        distance = np.maximum(value - least_change, 0) if name in ("ks", "tv", "wasserstein") else value
        if least_change and name not in ("ks", "tv", "wasserstein"):
            continue
        limits = np.array([threshold_of(reference, name, rows, rate) for rate in _RATES])
        depth = np.interp(distance, np.concatenate([[0.0], np.maximum.accumulate(limits)]), _DEPTHS)
        least = np.minimum(least, np.exp(depth))
    adjusted: NDArray[np.float64] = -np.expm1(np.log1p(-np.minimum(least, 1 - 1e-12)) * tests)
    return adjusted
