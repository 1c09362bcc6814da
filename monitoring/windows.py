"""Windows: counts of what one model version predicted in a span of time. Any two can be added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import numpy as np

from monitoring.baseline.bins import Counts, Integers, add

FORMAT = 1
_START = "%Y-%m-%dT%H%M"


@dataclass(frozen=True, eq=False, kw_only=True)
class Window:
    """The rows that one model version answered from `start` on, for `minutes`.

    `rows` were predicted, `rejected` refused; `counts` are of the predicted ones, in the baseline's bins.
    `inputs` are the names of the results and captures that are in it: each is counted once, however often
    it comes.
    """

    version: str
    start: datetime
    minutes: int = 60
    rows: int = 0
    rejected: int = 0
    counts: Counts = field(default_factory=dict)
    inputs: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The time at which it begins, in UTC, by which windows sort."""
        return self.start.strftime(_START)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    def with_rows(self, source: str, rows: int, rejected: int, counts: Counts) -> Window:
        """This window and the rows of one more input; the same where that is in it already."""
        if source in self.inputs:
            return self
        return Window(
            version=self.version,
            start=self.start,
            minutes=self.minutes,
            rows=self.rows + rows,
            rejected=self.rejected + rejected,
            counts=add(self.counts, counts) if self.counts else dict(counts),
            inputs=self.inputs | {source},
        )

    def to_json(self) -> str:
        """The document, equal for equal windows."""
        document = {
            "format": FORMAT,
            "version": self.version,
            "start": self.name,
            "minutes": self.minutes,
            "rows": self.rows,
            "rejected": self.rejected,
            "counts": {name: counts.tolist() for name, counts in sorted(self.counts.items())},
            "inputs": sorted(self.inputs),
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document written by `to_json`.

        Raises:
            ValueError: it is none, or of another format.
        """
        document: dict[str, Any] = json.loads(text)
        if document.pop("format", None) != FORMAT:
            raise ValueError(f"no window of format {FORMAT}")
        counts: Mapping[str, Integers] = {
            name: np.array(counts, np.int64) for name, counts in document.pop("counts").items()
        }
        start = read_start(document.pop("start"))
        return cls(**{**document, "start": start, "counts": counts, "inputs": frozenset(document["inputs"])})


def start_of(moment: datetime, minutes: int) -> datetime:
    """Return when the window begins that a moment lies in, in UTC."""
    span = 60 * minutes
    return datetime.fromtimestamp(moment.timestamp() // span * span, UTC)


def read_start(name: str) -> datetime:
    """Return when the window of a name begins."""
    return datetime.strptime(name, _START).replace(tzinfo=UTC)


def joined(windows: Iterable[Window]) -> Window:
    """One window of all of a version's, which follow each other in time; there is one at least."""
    first, *rest = sorted(windows, key=lambda window: window.start)
    last = rest[-1] if rest else first
    counts = dict(first.counts)
    for window in rest:
        counts = add(counts, window.counts) if counts and window.counts else {**counts, **window.counts}
    every = [first, *rest]
    return Window(
        version=first.version,
        start=first.start,
        minutes=int((last.end - first.start) / timedelta(minutes=1)),
        rows=sum(window.rows for window in every),
        rejected=sum(window.rejected for window in every),
        counts=counts,
        inputs=frozenset().union(*(window.inputs for window in every)),
    )
