"""What a column holds, gathered in one pass and bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contract.schema import Feature
from tabular import values

MAX_DISTINCT = 10_000
"""So many different texts of a column are told apart."""
MARKERS = frozenset({"?", "na", "n/a", "#n/a", "n.a.", "nan", "null", "nil", "-", "--", "."})
"""What tables write, in any case, where they mean "no value"."""

_ANY_DATETIME = Feature(name="", type="datetime")


@dataclass
class Numbers:
    """The texts of a column that plainly write a finite number."""

    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    whole: bool = True
    padded: bool = False
    """Some begin with a zero that an amount would not have, as post codes do."""

    def add(self, text: str, value: float, times: int) -> None:
        self.count += times
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        self.whole = self.whole and value.is_integer()
        self.padded = self.padded or (text[0] == "0" and len(text) > 1 and text.isdecimal())


@dataclass
class Words:
    """The texts of a column that are no finite number."""

    counts: Counter[str] = field(default_factory=Counter)
    """Of all of them, or of the first `MAX_DISTINCT`."""
    count: int = 0
    characters: int = 0
    blanks: int = 0
    """Blanks inside the texts tell prose from names."""
    datetimes: bool = True
    """Every one that is no marker is a date or time."""

    def add(self, text: str, times: int) -> None:
        _add_bounded(self.counts, text, times)
        self.count += times
        self.characters += len(text) * times
        self.blanks += text.count(" ") * times
        self.datetimes = self.datetimes and (is_marker(text) or is_datetime(text))

    @property
    def markers(self) -> tuple[str, ...]:
        """Those that mean "no value", as they are written."""
        return tuple(sorted(text for text in self.counts if is_marker(text)))


@dataclass
class Profile:
    """One column. Blanks around a text mean nothing, here as in training."""

    name: str
    rows: int = 0
    empty: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Of all texts but the empty one, or of the first `MAX_DISTINCT`."""
    numbers: Numbers = field(default_factory=Numbers)
    words: Words = field(default_factory=Words)
    unique: bool = True
    """No text came twice, as far as `counts` can tell, nor an empty one."""
    ordered: bool = True
    """Unique numbers that rise throughout, or fall throughout, within each block of rows."""

    def add(self, cells: Sequence[str]) -> None:
        """Take in the column's cells of the next rows."""
        texts = [cell.strip() for cell in cells]
        found = Counter(texts)
        self.unique = self.unique and len(found) == len(texts) and "" not in found
        self.unique = self.unique and self.counts.keys().isdisjoint(found)
        self.ordered = self.ordered and self.unique and _is_ordered(texts)
        self.rows += len(texts)
        self.empty += found.pop("", 0)
        for text, times in found.items():
            _add_bounded(self.counts, text, times)
            value = values.plain_float(text)
            if value is None or not abs(value) <= values.LARGEST:
                self.words.add(text, times)
            else:
                self.numbers.add(text, value, times)

    @property
    def marked(self) -> int:
        """Rows whose text means "no value"."""
        return sum(self.words.counts[text] for text in self.words.markers)

    @property
    def present(self) -> int:
        """Rows that hold a value."""
        return self.rows - self.empty - self.marked

    @property
    def values(self) -> Counter[str]:
        """`counts` without the markers."""
        return Counter({text: times for text, times in self.counts.items() if not is_marker(text)})

    @property
    def many(self) -> bool:
        """Whether there are more different texts than were told apart."""
        return len(self.counts) >= MAX_DISTINCT


def is_marker(text: str) -> bool:
    """Whether a text means "no value" in most tables."""
    return text.lower() in MARKERS


def _add_bounded(counts: Counter[str], text: str, times: int) -> None:
    if text in counts or len(counts) < MAX_DISTINCT:
        counts[text] += times


def is_number(text: str) -> bool:
    """Whether a text plainly writes a finite number."""
    value = values.plain_float(text)
    return value is not None and abs(value) <= values.LARGEST


def is_datetime(text: str) -> bool:
    """Whether a text is a date or time as uploads write it."""
    try:
        values.hours(_ANY_DATETIME, text)
    except values.RefusedError:
        return False
    return True


def _is_ordered(texts: Sequence[str]) -> bool:
    numbers = [x for x in map(values.plain_float, texts) if x is not None]
    if len(numbers) < len(texts):
        return False
    pairs = list(pairwise(numbers))
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)
