"""One pass over a dataset: counts, digests and a sample of its rows, and every fault."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.reasons import Unscorable
from contract.schema import Contract
from monitoring.baseline import Baseline, add, columns
from tabular.samples import Samples, digests
from tabular.sources import unit
from tabular.values import MISSING
from training.data import table
from training.validation.faults import Faults
from training.validation.rows.duplicates import Repeats
from training.validation.rows.sample import RowSample
from training.validation.rows.timing import Timing


@dataclass
class Collected:
    """What is known of a dataset. `rows` counts all, `sound` those that have a target and keep the contract.

    Beside counts it holds 28 bytes a row and `sampling.SAMPLE_ROWS` rows at most.
    """

    contract: Contract
    timing: Timing
    live: Baseline | None = None
    """Of the model that is live, to count the rows in its bins."""
    rows: int = 0
    unlabelled: int = 0
    """Rows without a target: set aside, whatever else they hold."""
    files: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    target_range: tuple[float, float] = (math.inf, -math.inf)
    values: dict[str, set[Any]] = field(default_factory=dict)
    """Of each feature up to two different values."""
    sample: RowSample = field(default_factory=RowSample)
    repeats: Repeats = field(default_factory=Repeats)
    faults: Faults = field(init=False)
    counts: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.faults = Faults(self.contract.target.name)

    @property
    def sound(self) -> int:
        return self.rows - self.unlabelled - self.faults.rows

    def read(self, folder: Path) -> None:
        """Take in every file of a dataset."""
        for path, name in table.uploaded_names(table.files(folder)).items():
            self.files[name] += 0
            try:
                for chunk in table.read(path, self.contract):
                    self._add(name, unit(path), chunk)
            except Unscorable as unreadable:
                self.faults.add_unreadable(name, unreadable)

    def _add(self, file: str, counted: str, chunk: table.TrainingChunk) -> None:
        left_out = chunk.refused | chunk.unlabelled
        self.rows += len(chunk.places) + len(chunk.ragged)
        self.files[file] += len(chunk.places) + len(chunk.ragged)
        self.unlabelled += int(chunk.unlabelled.sum())
        self.faults.rows += int(chunk.refused.sum()) + len(chunk.ragged)
        self.faults.add(file, counted, [(chunk.places[refusal.row], refusal) for refusal in chunk.refusals])
        self.faults.add(file, counted, [(refusal.row, refusal) for refusal in chunk.ragged])
        if chunk.times is not None:
            self.timing.add(file, counted, chunk.places, chunk.times)
        places = [place for place, bad in zip(chunk.places, left_out.tolist(), strict=True) if not bad]
        self._take(file, counted, places, table.sound(self.contract, chunk))

    def _take(self, file: str, counted: str, places: list[int], rows: Samples) -> None:
        """Rows that keep the contract, and the place of each."""
        if not len(rows):
            return
        self._count(rows)
        self.sample.add(rows)
        features = digests(rows)
        self.repeats.add(file, counted, places, features, _label_digests(rows.target))
        if self.live is not None:
            window = self.live.count(columns(self.contract, rows))
            self.counts = add(self.counts, window) if self.counts else window

    def _count(self, rows: Samples) -> None:
        names = [f.name for f in self.contract.in_model_order]
        missing = [
            *np.isnan(rows.numbers).sum(axis=0).tolist(),
            *(rows.categories == MISSING).sum(axis=0).tolist(),
            *(rows.texts == MISSING).sum(axis=0).tolist(),
        ]
        self.missing.update(dict(zip(names, missing, strict=True)))
        for name, column in zip(names, [*rows.numbers.T, *rows.categories.T, *rows.texts.T], strict=True):
            known = self.values.setdefault(name, set())
            if len(known) < 2:
                known |= set(_two(column))
        if self.contract.problem == "regression":
            low, high = self.target_range
            self.target_range = min(low, float(rows.target.min())), max(high, float(rows.target.max()))
        else:
            self.classes.update(rows.target.tolist())


def _two(column: NDArray[Any]) -> Iterable[Any]:
    """A column's first value, and one that differs from it; missing is a value as well."""
    first = column[0]
    differs = column != first
    if column.dtype != object:
        differs &= ~(np.isnan(column) & np.isnan(first))
        return [None if np.isnan(x) else float(x) for x in (first, *column[differs][:1])]
    return [first, *column[differs][:1]]


def _label_digests(target: NDArray[Any]) -> list[int]:
    if target.dtype != object:
        return [int(bits) for bits in np.ascontiguousarray(target, np.float32).view(np.uint32)]
    known: dict[str, int] = {}
    for label in set(target.tolist()):
        known[label] = int.from_bytes(blake2b(label.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return [known[label] for label in target.tolist()]
