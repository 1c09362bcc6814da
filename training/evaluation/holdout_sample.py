"""Some of the holdout's rows, where all of them would take too long."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from metrics.formulas import Array
from tabular.samples import Samples


class Some(NamedTuple):
    """Which rows: a mask [n] of them; and how many rows each of these [m] stands for."""

    chosen: Array
    weights: Array

    @property
    def shares(self) -> Array | None:
        """Of the chosen rows, the probability with which to draw each [m]; None where all are alike."""
        return None if np.ptp(self.weights) == 0 else self.weights / self.weights.sum()


def balanced(samples: Samples, classes: tuple[str, ...], most: int, seed: int) -> Some:
    """At most so many rows, half of them dealt evenly among the classes, the others by their size.

    Drawn without regard to classes, a few of a thousand rows would be all there is of a rare one.
    """
    rows = len(samples)
    if rows <= most:
        return Some(np.ones(rows, bool), np.ones(rows))
    codes = samples.coded_target(classes) if classes else np.zeros(rows)
    _, places, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    least = np.minimum(sizes, max(1, most // (2 * len(sizes))))
    left = sizes - least
    taken = least + left * max(0, most - least.sum()) // left.sum()
    random, chosen = np.random.default_rng(seed), np.zeros(rows, bool)
    for code, count in enumerate(taken.tolist()):
        chosen[random.choice(np.flatnonzero(places == code), count, replace=False)] = True
    return Some(chosen, (sizes / taken)[places[chosen]])
