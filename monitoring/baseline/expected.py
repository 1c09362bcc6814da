"""The outcomes to be expected of predictions, where they are not known yet, from counts only.

On the holdout the outcome of every prediction is known, and so for each bin of the prediction's column what
turns out of rows like these: the share that is positive, the share that is right, the mean absolute error.
A window's counts in the same bins then say what is to be expected of it: confidence-based performance
estimation, and direct loss estimation of a regression, as NannyML has them, of rows that are counted.

It holds as long as what the model says still means the same: where the relation of features and outcome has
changed (concept drift) it cannot see it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from metrics.confidence_sequences import Interval
from monitoring.baseline.bins import Integers, NumberBins
from monitoring.baseline.document import Reference

_Z = 1.959964


def expected_share(reference: Reference, counts: Integers) -> Interval | None:
    """The share of a window's rows that will turn out positive, or right; None where nothing is known."""
    means = _means(reference)
    return None if means is None else _mean(reference, counts, means, means * (1 - means))


def expected_error(reference: Reference, counts: Integers) -> Interval | None:
    """The mean absolute error of a regression's window; None where nothing is known.

    Of errors the squares were not kept: they are taken to vary as an exponential distribution does.
    """
    means = _means(reference)
    return None if means is None else _mean(reference, counts, means, means**2)


def expected_accuracy(reference: Reference, counts: Integers, threshold: float) -> Interval | None:
    """The accuracy of a binary problem's window at a threshold, from the share of positives in each bin."""
    positive = _means(reference)
    if positive is None or not isinstance(reference.bins, NumberBins):
        return None
    right = np.where(_middles(reference.bins) >= threshold, positive, 1 - positive)
    return _mean(reference, counts, right, right * (1 - right))


def expected_roc_auc(reference: Reference, counts: Integers) -> float | None:
    """The ROC AUC of a binary problem's window, of its bins taken as one score each; None if undefined."""
    means = _means(reference)
    if means is None:
        return None
    positives, negatives = counts * means, counts * (1 - means)
    if not positives.sum() or not negatives.sum():
        return None
    below = np.concatenate([[0.0], np.cumsum(negatives)[:-1]])
    return float(positives @ (below + negatives / 2) / (positives.sum() * negatives.sum()))


def _means(reference: Reference) -> NDArray[np.float64] | None:
    """The mean outcome of each bin; of one without rows, that between its neighbours'."""
    if reference.outcome is None or not reference.rows:
        return None
    seen = np.flatnonzero(reference.counts)
    places = np.arange(len(reference.counts))
    means: NDArray[np.float64] = np.interp(places, seen, reference.outcome[seen] / reference.counts[seen])
    return means


def _mean(
    reference: Reference, counts: Integers, means: NDArray[np.float64], spread: NDArray[np.float64]
) -> Interval | None:
    """The mean over a window, with 95 % bounds: chance in the holdout's bins, and in the window's rows."""
    rows = int(counts.sum())
    if not rows:
        return None
    shares = counts / rows
    mean = float(shares @ means)
    variance = float(shares**2 @ (spread / np.maximum(reference.counts, 1)) + shares @ spread / rows)
    margin = _Z * math.sqrt(variance)
    return Interval(mean=mean, low=mean - margin, high=mean + margin)


def _middles(bins: NumberBins) -> NDArray[np.float64]:
    """A value inside each bin, the missing one's NaN."""
    edges = bins.edges.astype(np.float64)
    if not len(edges):
        return np.full(3, np.nan)
    inner = edges[:-1] if bins.exact else (edges[:-1] + edges[1:]) / 2
    return np.concatenate([[edges[0]], inner, [edges[-1]], [edges[-1]], [np.nan]])
