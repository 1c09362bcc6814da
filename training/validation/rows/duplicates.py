"""Rows that occur again, and rows that differ in nothing but their label: found in 24 bytes a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Place(NamedTuple):
    """Where a row is."""

    file: str
    unit: str
    place: int


class Repeated(NamedTuple):
    """How many rows do something, and one or two of them."""

    rows: int
    examples: tuple[Place, ...] = ()


@dataclass
class Repeats:
    """Digests of the features and of the label of every row, and where it is."""

    _features: list[NDArray[np.uint64]] = field(default_factory=list)
    _labels: list[NDArray[np.uint64]] = field(default_factory=list)
    _places: list[NDArray[np.int64]] = field(default_factory=list)
    _files: list[tuple[str, str]] = field(default_factory=list)

    def add(
        self, file: str, unit: str, places: Sequence[int], features: Iterable[int], labels: Iterable[int]
    ) -> None:
        """Some rows of a file: the place of each, and 64-bit digests of its features and its label."""
        self._features.append(np.fromiter(features, np.uint64))
        self._labels.append(np.fromiter(labels, np.uint64))
        self._places.append(np.array(places, np.int64))
        self._files.append((file, unit))

    def find(self) -> tuple[Repeated, Repeated]:
        """Rows that repeat another's features and label; rows whose features have another label, too."""
        if not self._features:
            return Repeated(0), Repeated(0)
        features, labels = np.concatenate(self._features), np.concatenate(self._labels)
        order = np.lexsort((labels, features))
        features, labels = features[order], labels[order]
        same_features = np.append(False, features[1:] == features[:-1])
        same_row = same_features & np.append(False, labels[1:] == labels[:-1])
        group = np.cumsum(~same_features) - 1
        kinds = np.bincount(group, weights=~same_row)
        torn = kinds[group] > 1
        differs = np.flatnonzero(same_features & ~same_row)
        return (
            Repeated(int(same_row.sum()), self._examples(order, np.flatnonzero(same_row))),
            Repeated(int(torn.sum()), self._examples(order, differs)),
        )

    def _examples(self, order: NDArray[np.int64], found: NDArray[np.int64]) -> tuple[Place, ...]:
        """One of these rows and the one sorted before it: those that come first in the dataset."""
        if not len(found):
            return ()
        pairs = np.sort(np.stack([order[found - 1], order[found]]), axis=0)
        first = np.lexsort((pairs[1], pairs[0]))[0]
        return tuple(self._place(row) for row in pairs[:, first].tolist())

    def _place(self, row: int) -> Place:
        for (file, unit), places in zip(self._files, self._places, strict=True):
            if row < len(places):
                return Place(file, unit, int(places[row]))
            row -= len(places)
        raise IndexError(row)
