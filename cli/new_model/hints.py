"""What `new-model` did not understand or had to guess, each with what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Weight(IntEnum):
    """How much a model may gain by following a hint, the most first."""

    REFUSED = 0
    """Training would refuse the table as it is."""
    TIME = 1
    NUMBER = 2
    TARGET = 3
    TYPE = 4
    MISSING = 5
    SPELLING = 6
    BOUND = 7
    LEFT_OUT = 8


@dataclass(frozen=True, order=True)
class Hint:
    """One thing about a column (or several): what was found, and what to write instead, if anything."""

    weight: Weight
    column: str
    found: str
    write: str = ""

    def __str__(self) -> str:
        return f"{self.found}: {self.write}" if self.write else self.found


def most_valuable_first(hints: Iterable[Hint]) -> Sequence[Hint]:
    """All hints in the order in which they are worth following; of equal weight as the columns come."""
    return sorted(hints, key=lambda hint: hint.weight)
