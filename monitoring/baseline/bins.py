"""Bins: how the values of one column are counted. Counts in equal bins can be added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tabular.values import MISSING

Integers = NDArray[np.int64]
Counts = Mapping[str, Integers]
"""Of each column, how many values lie in each of its bins."""

CUTS = 128
"""At most so many edges: enough for Kolmogorov–Smirnov to four places, few enough for a small document."""
ROWS_A_CUT = 10
LISTED_VALUES = 250


def add(one: Counts, other: Counts) -> dict[str, Integers]:
    """The counts of two windows together.

    Raises:
        KeyError: they are not of the same columns.
    """
    return {name: one[name] + other[name] for name in {**one, **other}}


@dataclass(frozen=True, eq=False)
class NumberBins:
    """Bins of a number, from `edges` float32 [k], ascending.

    Counts are [k + 3]: below the first edge; from each edge to the next; at the last edge;
    above it; missing. `exact` says that the edges are all the values there were.
    """

    edges: NDArray[np.float32]
    exact: bool

    @classmethod
    def of(cls, column: NDArray[np.float32]) -> Self:
        """Bins that hold about as many of these values each, or one for every value where there are few."""
        known = np.sort(column[~np.isnan(column)])
        values = np.unique(known)
        cuts = int(np.clip(len(known) // ROWS_A_CUT, ROWS_A_CUT, CUTS))
        if len(values) <= cuts:
            return cls(values, exact=True)
        places = np.linspace(0, len(known) - 1, cuts).round().astype(int)
        return cls(np.unique(known[places]), exact=False)

    def count(self, column: NDArray[Any]) -> Integers:
        """Count the values of a column [n], NaN where missing, in each bin."""
        return np.bincount(self.places(column), minlength=len(self.edges) + 3).astype(np.int64)

    def places(self, column: NDArray[Any]) -> NDArray[np.intp]:
        """The bin [n] that each value lies in."""
        column = np.asarray(column, np.float32)
        places = np.searchsorted(self.edges, column, side="right")
        if len(self.edges):
            places += column > self.edges[-1]
        return np.where(np.isnan(column), len(self.edges) + 2, places)


@dataclass(frozen=True, eq=False)
class CategoryBins:
    """Bins of a category, from `values`, the most frequent last.

    Counts are [len(values) + 2]: any value not listed, rarer or never seen; each value; missing.
    """

    values: tuple[str, ...]

    @classmethod
    def of(cls, column: NDArray[np.object_]) -> Self:
        """A bin for each value, or for the `LISTED_VALUES` most frequent."""
        known = {value: rows for value, rows in _tally(column).items() if value != MISSING}
        often = sorted(known, key=lambda value: (-known[value], value))[:LISTED_VALUES]
        return cls(tuple(reversed(often)))

    def count(self, column: NDArray[np.object_]) -> Integers:
        """Count the values of a column [n] of str, empty where missing, in each bin."""
        counted = np.zeros(len(self.values) + 2, np.int64)
        for value, rows in _tally(column).items():
            counted[self._places.get(value, 0)] += rows
        return counted

    def places(self, column: NDArray[np.object_]) -> NDArray[np.intp]:
        """The bin [n] that each value lies in."""
        return np.fromiter((self._places.get(value, 0) for value in column), np.intp, len(column))

    @cached_property
    def _places(self) -> dict[str, int]:
        places = {value: place for place, value in enumerate(self.values, start=1)}
        return {**places, MISSING: len(self.values) + 1}


Bins = NumberBins | CategoryBins


def _tally(column: NDArray[np.object_]) -> dict[str, int]:
    counts = pa.array(column, pa.string()).value_counts()
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))
