"""What a column holds, gathered in one pass and bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from cli.new_model.markers import codes_like_markers, is_marker
from contract.schema import Feature
from tabular import values

MAX_DISTINCT = 10_000
"""So many different texts of a column are told apart."""

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
    dates: bool = True
    """Every one is a date without dashes, such as 20240531."""

    def add(self, text: str, value: float, times: int) -> None:
        self.count += times
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        self.whole = self.whole and value.is_integer()
        self.padded = self.padded or (text[0] == "0" and len(text) > 1 and text.isdecimal())
        self.dates = self.dates and hours(text) is not None


@dataclass
class Words:
    """The texts of a column that are no finite number."""

    counts: Counter[str] = field(default_factory=Counter)
    """Of all of them, or of the first `MAX_DISTINCT`."""
    count: int = 0
    characters: int = 0
    words: int = 0
    """As training tells them apart: many make prose, few a name."""
    datetimes: int = 0
    """Rows whose text is a date or time."""

    def add(self, text: str, times: int) -> None:
        _add_bounded(self.counts, text, times)
        self.count += times
        self.characters += len(text) * times
        self.words += (values.words(_ANY_DATETIME, text).count(" ") + 1) * times
        self.datetimes += times * (hours(text) is not None)


@dataclass
class Order:
    """Whether a column's dates and times rise or fall from the first row to the last."""

    rises: bool = True
    falls: bool = True
    last: float | None = None

    def add(self, times: Sequence[float]) -> None:
        """The moments of the next rows that have one."""
        known = [*([] if self.last is None else [self.last]), *times]
        self.rises = self.rises and all(a <= b for a, b in pairwise(known))
        self.falls = self.falls and all(a >= b for a, b in pairwise(known))
        self.last = known[-1] if known else None


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
    order: Order = field(default_factory=Order)
    unreadable: str = ""
    """Why the column's values cannot be read at all, if so."""

    def add(self, cells: Sequence[str]) -> None:
        """Take in the column's cells of the next rows."""
        texts = [cell.strip() for cell in cells]
        found = Counter(texts)
        self.unique = self.unique and len(found) == len(texts) and "" not in found
        self.unique = self.unique and self.counts.keys().isdisjoint(found)
        self.ordered = self.ordered and self.unique and _is_ordered(texts)
        self._order(texts, found)
        self.rows += len(texts)
        self.empty += found.pop("", 0)
        for text, times in found.items():
            _add_bounded(self.counts, text, times)
            value = number(text)
            if value is None:
                self.words.add(text, times)
            else:
                self.numbers.add(text, value, times)

    @cached_property
    def markers(self) -> tuple[str, ...]:
        """Texts that mean "no value", as they are written. To be asked when all rows are there."""
        codes = codes_like_markers(self.counts) if not self.numbers.count else ()
        return tuple(sorted(text for text in self.words.counts if is_marker(text) and text not in codes))

    @property
    def marked(self) -> int:
        """Rows whose text means "no value"."""
        return sum(self.words.counts[text] for text in self.markers)

    @property
    def present(self) -> int:
        """Rows that hold a value."""
        return self.rows - self.empty - self.marked

    @cached_property
    def values(self) -> Counter[str]:
        """`counts` without the markers."""
        return Counter({text: times for text, times in self.counts.items() if text not in self.markers})

    @property
    def odd(self) -> tuple[str, ...]:
        """Of the words those that are no marker, the most frequent first."""
        return tuple(text for text, _ in self.words.counts.most_common() if text not in self.markers)

    @property
    def many(self) -> bool:
        """Whether there are more different texts than were told apart."""
        return len(self.counts) >= MAX_DISTINCT

    def _order(self, texts: Sequence[str], found: Counter[str]) -> None:
        nothing_yet = self.rows > self.empty and self.order.last is None
        if nothing_yet or not (self.order.rises or self.order.falls):
            return
        known = {text: moment for text in found if (moment := hours(text)) is not None}
        self.order.add([known[text] for text in texts if text in known])


def number(text: str) -> float | None:
    """The finite number that a text plainly writes, None if it writes none."""
    value = values.plain_float(text)
    return value if value is not None and abs(value) <= values.LARGEST else None


def hours(text: str) -> float | None:
    """A date or time as uploads write it, in hours since 1970; None of any other text."""
    if not text:
        return None
    try:
        return values.hours(_ANY_DATETIME, text)
    except values.RefusedError:
        return None


def _add_bounded(counts: Counter[str], text: str, times: int) -> None:
    if text in counts or len(counts) < MAX_DISTINCT:
        counts[text] += times


def _is_ordered(texts: Sequence[str]) -> bool:
    numbers = [x for x in map(values.plain_float, texts) if x is not None]
    if len(numbers) < len(texts):
        return False
    pairs = list(pairwise(numbers))
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)
