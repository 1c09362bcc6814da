"""Draws of many windows at once, in a form that every column can use.

A row is a number between 0 and 1; a column's bins are intervals of that line, as long as their
shares. So one set of draws serves all columns. It is kept as counts on a grid; a bin that ends between
two places of it divides the rows there by chance. The grid is fine near 0 and 1, where a small
error is a large one for the bin at the end: rare and missing values.

What a sample's rows come from is not known but from the sample. So it is drawn too, for each window
anew: as a Dirichlet process around the sample (Ferguson, 1973; of values without ties that is
just how a distribution lies about a sample of it: Wilks, 1962, sec. 8.7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
CELLS = 512
HALVINGS = 14
"""The first and the last cell are halved so often, towards the end of the line."""

_GAUSSIAN_ROWS = 8 * CELLS
"""From here on a cell's count is drawn as normal: some 90 cells to a bin leave no trace of it."""


def _end() -> NDArray[np.float64]:
    """Lengths [HALVINGS + 1] of the parts of the first cell."""
    parts = 0.5 ** np.arange(HALVINGS, 0, -1)
    return np.concatenate([parts[:1], parts]) / CELLS


_LENGTHS = np.concatenate([_end(), np.full(CELLS - 2, 1 / CELLS), _end()[::-1]])
_PLACES = np.concatenate([[0.0], np.cumsum(_LENGTHS)[:-1], [1.0]])
"""The ends of the grid's parts, with 0 before them."""
_EDGE = HALVINGS + 1
"""Parts at each end whose counts are always drawn exactly, as rare values lie there."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Windows of some rows each.

    `below` float32 [RESAMPLES, places] counts the rows before each place; `spread` float32
    [RESAMPLES, places - 1] is by how much of them, divided evenly, chance divides a part's rows otherwise.
    """

    below: NDArray[np.float32]
    spread: NDArray[np.float32]

    def counts(self, shares: NDArray[np.floating]) -> NDArray[np.float32]:
        """Counts [RESAMPLES, bins] in bins that hold these shares [bins] of the sample."""
        ends = np.concatenate([[0.0], np.cumsum(shares) / np.sum(shares)])
        after = np.clip(np.searchsorted(_PLACES, ends), 1, len(_PLACES) - 1)
        part = np.clip((ends - _PLACES[after - 1]) / _LENGTHS[after - 1], 0, 1)
        even, uneven = part.astype(np.float32), np.sqrt(part * (1 - part)).astype(np.float32)
        before = self.below[:, after - 1]
        rows = self.below[:, after] - before
        within = np.clip(even * rows + uneven * self.spread[:, after - 1], 0, rows)
        counted: NDArray[np.float32] = np.diff(before + within, axis=1)
        return np.maximum(counted, 0)


def windows(sizes: Iterable[int], sample: int, random: np.random.Generator) -> dict[int, Draws]:
    """`RESAMPLES` windows of each of these sizes, of what a sample of so many rows may come from."""
    masses = random.standard_gamma(np.maximum(sample * _LENGTHS, 1e-6), (RESAMPLES, len(_LENGTHS)))
    masses /= masses.sum(axis=1, keepdims=True)
    return {size: _window(size, masses, sample, random) for size in sizes}


def _window(rows: int, masses: NDArray[np.float64], sample: int, random: np.random.Generator) -> Draws:
    drawn = _normal(rows, masses, random) if rows >= _GAUSSIAN_ROWS else random.multinomial(rows, masses)
    below = np.cumsum(np.concatenate([np.zeros((RESAMPLES, 1)), drawn], axis=1), axis=1)
    weight = sample * _LENGTHS
    # The variance of a beta-binomial's split in halves, times 4: of the mass, and of the rows in it.
    variance = drawn * (weight + drawn) / (weight + 1)
    noise = random.standard_normal(drawn.shape, np.float32)
    return Draws(below.astype(np.float32), (np.sqrt(variance) * noise).astype(np.float32))


def _normal(rows: int, masses: NDArray[np.float64], random: np.random.Generator) -> NDArray[Any]:
    """Counts of each part: those at the edges exactly, the others by the central limit."""
    first, middle, last = masses[:, :_EDGE], masses[:, _EDGE:-_EDGE], masses[:, -_EDGE:]
    total = np.minimum(middle.sum(axis=1, keepdims=True), 1)  # a sum of shares may round to more
    exact = random.multinomial(rows, np.concatenate([first, last, total], axis=1))
    inner, share = exact[:, -1:], middle / total
    noise = random.standard_normal(middle.shape, np.float32) * np.sqrt(inner * share)
    counts = inner * share + noise - share * noise.sum(axis=1, keepdims=True)
    return np.concatenate([exact[:, :_EDGE], np.maximum(counts, 0), exact[:, _EDGE:-1]], axis=1)
