"""Draws of many windows at once, in a form that every column can use.

A row is a number between 0 and 1, evenly drawn; a column's bins are intervals of that line,
as long as their shares. So one set of draws serves all columns. It is kept as counts on a grid,
to whose places the ends of bins are rounded. The grid is fine near 0 and 1, where a
small error is a large one for the bin at the end: rare and missing values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
CELLS = 512
HALVINGS = 14
"""The first and the last cell are halved so often, towards the end of the line."""

_GAUSSIAN_ROWS = 8 * CELLS
"""From here on a cell's count is drawn as normal: some 90 cells to a bin leave no trace of it."""


def _end() -> NDArray[np.float64]:
    """Shares [HALVINGS + 1] of the parts of the first cell."""
    parts = 0.5 ** np.arange(HALVINGS, 0, -1)
    return np.concatenate([parts[:1], parts])


_PLACES = np.concatenate(
    [
        [0.0],
        np.cumsum(_end()) / CELLS,
        np.arange(2, CELLS) / CELLS,
        1 - np.cumsum(_end())[-2::-1] / CELLS,
        [1.0],
    ]
)
"""Where the grid's cells end, with 0 before them."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Windows of some rows each; `below` float32 [RESAMPLES, places] counts the rows before each place."""

    below: NDArray[np.float32]

    @classmethod
    def of(cls, rows: int, random: np.random.Generator) -> Self:
        """`RESAMPLES` windows of so many rows."""
        cells = _normal(rows, random) if rows >= _GAUSSIAN_ROWS else _uniform(rows, random)
        first = random.multinomial(cells[:, 0].astype(np.int64), _end())
        last = random.multinomial(cells[:, -1].astype(np.int64), _end()[::-1])
        parts = np.concatenate([np.zeros((RESAMPLES, 1)), first, cells[:, 1:-1], last], axis=1)
        return cls(np.cumsum(parts, axis=1, dtype=np.float64).astype(np.float32))

    def counts(self, shares: NDArray[np.floating]) -> NDArray[np.float32]:
        """Counts [RESAMPLES, bins] in bins that hold these shares [bins] of the rows."""
        ends = np.concatenate([[0.0], np.cumsum(shares) / np.sum(shares)])
        after = np.clip(np.searchsorted(_PLACES, ends), 1, len(_PLACES) - 1)
        nearer = ends - _PLACES[after - 1] < _PLACES[after] - ends
        return np.diff(self.below[:, after - nearer], axis=1)


def _uniform(rows: int, random: np.random.Generator) -> NDArray[Any]:
    drawn = random.integers(0, CELLS, (RESAMPLES, rows), np.int32)
    drawn += np.arange(RESAMPLES, dtype=np.int32)[:, None] * CELLS
    return np.bincount(drawn.ravel(), minlength=RESAMPLES * CELLS).reshape(RESAMPLES, CELLS)


def _normal(rows: int, random: np.random.Generator) -> NDArray[Any]:
    """The cells at the ends exactly, as rare values lie there; the others by the central limit."""
    share = 1 / CELLS
    first, inner, last = random.multinomial(rows, [share, 1 - 2 * share, share], RESAMPLES).T[..., None]
    noise = random.standard_normal((RESAMPLES, CELLS - 2), np.float32) * np.sqrt(rows * share)
    middle = inner / (CELLS - 2) + noise - noise.mean(axis=1, keepdims=True)
    return np.concatenate([first, middle, last], axis=1)
