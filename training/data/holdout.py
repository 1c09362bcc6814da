"""Which rows are held out: those that a digest of their features draws, or the newest.

By the digest a row's side hangs on nothing else: it is the same in every run and whatever rows
are around it. By time a model is trained on the past and judged on what came after, as it will be
when it serves. Either way rows that the model cannot tell apart are never on both sides, so
nothing leaks from one to the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from container.errors import PlatformError
from tabular.values import moment

FILE = "holdout.json"


class Split(NamedTuple):
    """Which rows [n] are trained on, and which are held out; some may be neither."""

    trained: NDArray[np.bool_]
    held: NDArray[np.bool_]
    starts: float | None = None
    """By time: the hours since 1970 of the oldest row that may be held out."""


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """What became of a dataset's rows, for people to read. `starts` is a date, None of a random one.

    `repeated` rows are as new as the holdout and have the features of older ones: neither side has
    them. `undated` rows have no time and are trained on.
    """

    rule: Literal["newest", "random"]
    starts: str | None = None
    repeated: int = 0
    undated: int = 0

    def write(self, folder: Path) -> None:
        """Write `FILE`."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            PlatformError: it is not there.
        """
        try:
            return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise PlatformError(f"nothing in {folder} says how rows were held out: {error}") from error

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> Self:
        """That of a sealed model; models of before there was a choice held rows out at random."""
        known = facts.get("holdout", {"rule": "random"})
        assert isinstance(known, Mapping)
        return cls(**known)

    def sentence(self) -> str:
        """Which rows were held out."""
        if self.rule == "random":
            return "The rows held out were drawn by a digest of their features."
        told = [f"The rows held out are the newest, from {self.starts} (UTC) on."]
        if self.repeated:
            told.append(f"On neither side, as new but with the features of older rows: {self.repeated:,}.")
        if self.undated:
            told.append(f"Without a time, and trained on: {self.undated:,}.")
        return " ".join(told)


def drawn(marks: NDArray[np.uint64], share: float) -> Split:
    """Hold out a share of the rows whose features have these digests [n]."""
    held = marks < np.uint64(int(share * 2**64))
    return Split(~held, held)


def newest(times: NDArray[np.float32], marks: NDArray[np.uint64], share: float) -> Split | None:
    """Hold out the newest rows, as near to a share of those that have a time as ties allow.

    `times` [n] are hours since 1970, NaN where unknown. Rows of one time are on one side; rows
    without a time are trained on. Held out is no row with the features, by their digest, of one that is
    trained on. None where all rows with a time have the same one, or there are none.
    """
    known = np.sort(times[~np.isnan(times)])
    candidates = np.unique(known)[1:]
    if not len(candidates):
        return None
    sizes = len(known) - np.searchsorted(known, candidates)
    starts = candidates[np.argmin(np.abs(sizes - share * len(known)))]
    new = times >= starts
    return Split(~new, new & ~np.isin(marks, marks[~new]), float(starts))


def date(hours: float) -> str:
    """A time in hours since 1970 as people write it."""
    return moment(hours).replace(tzinfo=None).isoformat(" ", "minutes")
