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

from container.errors import DataError, PlatformError
from contract.schema import Contract
from tabular.samples import Samples, marks
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
    them. `undated` rows have no time and are trained on. Where `refit`, the model that ships is fitted
    to all rows, and the rows of the holdout were predicted by others that had not seen them.
    """

    rule: Literal["newest", "random"]
    starts: str | None = None
    repeated: int = 0
    undated: int = 0
    refit: bool = False

    @property
    def cross_validated(self) -> bool:
        """Every row is of the holdout, and was predicted by models that had not seen it."""
        return self.refit and self.rule == "random"

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
            return _CROSS_VALIDATED if self.refit else _DRAWN
        told = [f"The rows held out are the newest, from {self.starts} (UTC) on."]
        if self.refit:
            told.append(_REFIT)
        if self.repeated:
            told.append(f"On neither side, as new but with the features of older rows: {self.repeated:,}.")
        if self.undated:
            told.append(f"Without a time, and trained on: {self.undated:,}.")
        return " ".join(told)


_DRAWN = "The rows held out were drawn by a digest of their features."
_CROSS_VALIDATED = (
    "There are too few rows to hold some out: each was predicted by models that had not seen it "
    "(repeated cross-validation), and the model that ships is fitted to all of them."
)
_REFIT = "They were predicted by a model of the older ones; the model that ships is fitted to all rows."


def split(samples: Samples, contract: Contract) -> Split:
    """Which rows are held out, by the contract's rule.

    Raises:
        DataError: the newest are asked for, and no row is newer than another.
    """
    share = contract.training.holdout_share
    if samples.times is None:
        return drawn(marks(samples), share)
    found = newest(samples.times, marks(samples), share)
    if found is None:
        assert contract.time is not None
        raise DataError(
            f"no row is newer than another by {contract.time.name!r}, so the newest cannot be held out: "
            'add rows of other times, or set training.holdout = "random".'
        )
    return found


def drawn(digests: NDArray[np.uint64], share: float) -> Split:
    """Hold out a share of the rows whose features have these digests [n]."""
    held = digests < np.uint64(int(share * 2**64))
    return Split(~held, held)


def newest(times: NDArray[np.float32], digests: NDArray[np.uint64], share: float) -> Split | None:
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
    return Split(~new, new & ~np.isin(digests, digests[~new]), float(starts))


def date(hours: float) -> str:
    """A time in hours since 1970 as people write it."""
    return moment(hours).replace(tzinfo=None).isoformat(" ", "minutes")
