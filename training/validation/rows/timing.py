"""When rows came to be: whether each file is in that order, and none is of the future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tabular.values import EPOCH
from training.validation.rows.duplicates import Place, Repeated

TOLERANCE_HOURS = 24.0
"""Times without an offset are read as UTC, and may be up to a day ahead of it."""


@dataclass
class Timing:
    """Counts rows by their times, in hours since 1970, NaN where a row has none."""

    now: datetime
    rows: int = 0
    """Rows that have a time."""
    disordered: Repeated = field(default_factory=lambda: Repeated(0))
    """Rows older than one before them in their file."""
    future: Repeated = field(default_factory=lambda: Repeated(0))
    _latest: tuple[str, float] = ("", -np.inf)

    def add(self, file: str, unit: str, places: Sequence[int], times: NDArray[Any]) -> None:
        """The next rows of a file."""
        if file != self._latest[0]:
            self._latest = (file, -np.inf)
        known = ~np.isnan(times)
        self.rows += int(known.sum())
        latest = np.fmax.accumulate(np.concatenate([[self._latest[1]], times]))
        self.disordered = _more(self.disordered, known & (times < latest[:-1]), file, unit, places)
        limit = (self.now - EPOCH).total_seconds() / 3600 + TOLERANCE_HOURS
        self.future = _more(self.future, known & (times > limit), file, unit, places)
        self._latest = (file, float(latest[-1]))


def _more(
    before: Repeated, found: NDArray[np.bool_], file: str, unit: str, places: Sequence[int]
) -> Repeated:
    rows = np.flatnonzero(found)
    if not len(rows):
        return before
    examples = before.examples or (Place(file, unit, places[rows[0]]),)
    return Repeated(before.rows + len(rows), examples)
