"""The weight of each bin where a sample's rows come from, estimated from the sample.

The reference defines its own bins: none of its numbers lies beyond its edges, none of its categories is
unlisted (but for the rarest of very many). In what its rows come from, some do, and what was seen a few times
is rarer there than in the sample. Weights are counts put right for that; they add up to about the rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitoring.baseline.bins import Integers
from tabular.values import MISSING

Weights = NDArray[np.float64]

_UNSEEN = 0.5
"""Of what never occurred in n rows: it is not impossible (Jeffreys, 1946)."""
_LEAST = 0.05
_MOST = 0.99
_LINE = 3
"""So many different counts make a line to fit; with fewer, what occurs once serves as well."""


def of_number(counts: Integers, column: NDArray[np.float32]) -> Weights:
    """Weights [bins] of a number with these counts, of the values [n] that were counted.

    Beyond the largest of n values without ties lies 1/(n + 1) of the distribution on average, and as
    much beyond the least (Wilks, 1962, sec. 8.7); the less, the more often that value occurs.
    """
    weights = _seen(counts)
    known = column[~np.isnan(column)]
    for place, end in ((0, np.min), (-2, np.max)):
        weights[place] = 1 / np.sum(known == end(known)) if len(known) else _UNSEEN
    return weights


def of_category(counts: Integers, column: NDArray[Any]) -> Weights:
    """Weights [bins] of a category with these counts, of the values [n] that were counted.

    Each of k values seen has `discount` d of a row less than it seems to, and values never seen have
    d·k in its stead, as after Pitman and Yor (1997; with θ = 0).
    """
    _, times = np.unique(column[column != MISSING].astype(str), return_counts=True)
    less = discount(times)
    weights = _seen(counts)
    weights[1:-1] = np.maximum(weights[1:-1] - less, _LEAST)
    weights[0] = counts[0] + max(less * len(times), _UNSEEN)
    return weights


def discount(times: Integers) -> float:
    """By how many rows a value is seen too often that is seen at all; [k] says how often each is; 0 to 1.

    That is c - (c + 1) N(c + 1) / N(c) for one seen c times, of N(c) that are (Good, 1953, after Turing).
    With N on a line of slope b in logarithms it tends to -b - 1; the line is fitted to N(c) spread evenly
    over the gaps between counts that occur (Gale and Sampson, 1995: simple Good-Turing).
    """
    occurring, values = np.unique(times, return_counts=True)
    if len(occurring) < _LINE:
        return float(np.clip(np.mean(times == 1), 0, _MOST)) if len(times) else 0.0
    bounds = np.concatenate([[0], occurring, [2 * occurring[-1] - occurring[-2]]])
    spread = 2 * values / (bounds[2:] - bounds[:-2])
    slope = np.polyfit(np.log(occurring), np.log(spread), 1)[0]
    return float(np.clip(-slope - 1, 0, _MOST))


def _seen(counts: Integers) -> Weights:
    """Counts as weights; missing values may occur even where none did."""
    weights = counts.astype(np.float64)
    weights[-1] = max(weights[-1], _UNSEEN)
    return weights
