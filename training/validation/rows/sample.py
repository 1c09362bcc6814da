"""A sample of the rows, so that what is costly is bounded whatever the size of the dataset."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tabular.samples import Samples

SAMPLE_ROWS = 100_000
_ALL = 2**64 - 1


@dataclass
class RowSample:
    """All rows while there are few, else about half of the `most` or more, each as likely as any other.

    Which rows are kept follows from how many came before them: the same dataset gives the same sample.
    """

    most: int = SAMPLE_ROWS
    seen: int = 0
    _below: int = _ALL
    _parts: list[tuple[NDArray[np.uint64], Samples]] = field(default_factory=list)

    def add(self, rows: Samples) -> None:
        """The next rows."""
        drawn = _mixed(np.arange(self.seen, self.seen + len(rows), dtype=np.uint64))
        self.seen += len(rows)
        self._keep(drawn, rows)
        while sum(len(part) for _, part in self._parts) > self.most:
            self._below //= 2
            parts, self._parts = self._parts, []
            for part in parts:
                self._keep(*part)

    def _keep(self, drawn: NDArray[np.uint64], rows: Samples) -> None:
        kept = drawn <= np.uint64(self._below)
        if kept.any():
            self._parts.append((drawn[kept], rows.where(kept)))

    def rows(self) -> Samples | None:
        """The sample in the order of the rows; None where there is no row."""
        return Samples.joined(part for _, part in self._parts) if self._parts else None


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): neighbours become unrelated."""
    with np.errstate(over="ignore"):
        x = numbers * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
