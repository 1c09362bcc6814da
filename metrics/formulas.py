"""Statistics of rows, for many weightings of the rows at once.

A bootstrap resample is a weighting: how often each row was drawn. The formulas are scikit-learn's,
whose functions, with `sample_weight`, the tests hold these against. Where all weights of a row lie side
by side in memory, which is so of a transposed array, rows are picked and counted whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Measure = Callable[[Array], Array]
"""From weights [m, n] to a value for each weighting [m]; NaN where it is not defined."""

BINS = 10
"""Of the expected calibration error."""
_ROUNDING = 1e-12
"""Of a sum of squares, what is left of it is no variance but rounding."""


def mean(column: Array) -> Measure:
    """The mean of a column [n]."""
    return ratio(column, np.ones(len(column)), undefined=np.nan)


def ratio(part: Array, whole: Array, undefined: float = 0.0) -> Measure:
    """The sum of one column [n] by the sum of another."""
    columns = np.stack([part, whole], axis=1).astype(float)

    def measured(weights: Array) -> Array:
        sums = weights @ columns
        return divided(sums[:, 0], sums[:, 1], undefined)

    return measured


def precision(truth: Array, chosen: Array) -> Measure:
    """Of the rows that were chosen, the share that is positive; zero where none was."""
    return ratio(truth * chosen, chosen)


def recall(truth: Array, chosen: Array) -> Measure:
    """Of the positive rows, the share that was chosen; zero where there is none."""
    return ratio(truth * chosen, truth)


def f1(truth: Array, chosen: Array) -> Measure:
    """The harmonic mean of both."""
    return ratio(2 * truth * chosen, truth + chosen)


def roc_auc(truth: Array, scores: Array) -> Measure:
    """Share of pairs of a positive and a negative that the scores put in order; ties count half."""
    positive, negative = (np.flatnonzero(truth == label) for label in (1, 0))
    negative = negative[np.argsort(scores[negative], kind="stable")]
    # Of each positive, how many negatives are below it, and how many not above.
    below, upto = (np.searchsorted(scores[negative], scores[positive], side) for side in ("left", "right"))
    tied = (below != upto).any()

    def measured(weights: Array) -> Array:
        positives, counts = weights.T[positive], _counted(weights.T[negative])
        under = (counts[below] + counts[upto]) / 2 if tied else counts[below]
        pairs = np.einsum("ij,ij->j", positives, under)
        return divided(pairs, positives.sum(axis=0) * counts[-1], np.nan)

    return measured


def average_precision(truth: Array, scores: Array) -> Measure:
    """Mean of the precision at each distinct score, weighted by the recall it adds."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    positive = np.flatnonzero(truth[order] == 1)
    # Of each positive, how many rows are not below it, and how many of those are positive.
    upto = np.searchsorted(-ordered, -ordered[positive], "right")
    among = np.searchsorted(positive, upto)

    def measured(weights: Array) -> Array:
        drawn = weights.T[order]
        hits = drawn[positive]
        chosen, positives = _counted(drawn)[upto], _counted(hits)
        reached = np.einsum("ij,ij->j", hits, divided(positives[among], chosen, 0.0))
        return divided(reached, positives[-1], np.nan)

    return measured


def calibration_error(confidence: Array, correct: Array) -> Measure:
    """Mean over the rows of |mean confidence - share correct| in their bin (Guo et al., 2017, section 2)."""
    gaps = np.zeros((len(confidence), BINS + 1))
    gaps[np.arange(len(confidence)), bins(confidence)] = confidence - correct
    gaps[:, BINS] = 1

    def measured(weights: Array) -> Array:
        sums = weights @ gaps
        return divided(np.abs(sums[:, :BINS]).sum(axis=1), sums[:, BINS], np.nan)

    return measured


def bins(confidence: Array) -> NDArray[np.intp]:
    """Return the bin, of `BINS` of equal width, each with its lower bound, of probabilities [n]."""
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1)


def quantile(column: Array, share: float) -> Measure:
    """The least value that a share of the rows does not exceed."""
    order = np.argsort(column, kind="stable")
    ordered = column[order]

    def measured(weights: Array) -> Array:
        below = np.cumsum(weights.T[order], axis=0)
        # Counts are exact, but a share of them may be a unit in the last place too much.
        places = np.sum(below < share * below[-1] * (1 - 1e-12), axis=0)
        return np.where(below[-1] > 0, ordered[np.minimum(places, len(ordered) - 1)], np.nan)

    return measured


def r2(truth: Array, errors: Array) -> Measure:
    """The share of the truth's variance that the errors leave explained."""
    centred = truth - truth.mean()
    columns = np.stack([errors**2, centred, centred**2, np.ones(len(truth))], axis=1)

    def measured(weights: Array) -> Array:
        squares, total, spread, count = (weights @ columns).T
        variance = spread - divided(total**2, count, np.nan)
        return 1 - divided(squares, np.where(variance > _ROUNDING * spread, variance, 0), np.nan)

    return measured


def divided(part: Array, whole: Array, undefined: float) -> Array:
    """Element by element, and `undefined` where the whole is not positive."""
    quotient: Array = np.divide(part, whole, out=np.full(np.shape(part), undefined), where=whole > 0)
    return quotient


def _counted(drawn: Array) -> Array:
    """Return the weight of the first k rows [n + 1, m], by how often each was drawn [n, m]."""
    counts = np.zeros((len(drawn) + 1, drawn.shape[1]))
    np.cumsum(drawn, axis=0, out=counts[1:])
    return counts
