"""How values and amounts are written in the comments of a `model.toml`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

MAX_CHARACTERS = 40
MAX_VALUES = 4


def quote(text: str) -> str:
    """A TOML string on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def short(text: str) -> str:
    """A TOML string cut to be read in passing."""
    return quote(text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…")


def quoted(texts: Iterable[str]) -> str:
    """The first few texts."""
    every = list(texts)
    return ", ".join(map(short, every[:MAX_VALUES])) + (", …" if len(every) > MAX_VALUES else "")


def share(part: int, whole: int) -> str:
    """A share in percent that is 0% or 100% only where it is nothing or all."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "under 1%"
    if 99 < percent < 100:
        return "over 99%"
    return f"{percent:.0f}%"


def bounds(low: float, high: float, *, whole: bool) -> str:
    """The range of numbers seen."""
    if whole and max(abs(low), abs(high)) < 1e15:
        return f"whole numbers from {low:.0f} to {high:.0f}"
    return f"numbers from {low:.4g} to {high:.4g}"


def listed(values: Counter[str], rows: int, *, many: bool = False) -> str:
    """The most frequent values with their shares of `rows`."""
    top = ", ".join(f"{short(text)} {share(count, rows)}" for text, count in values.most_common(MAX_VALUES))
    number = f"over {len(values):,}" if many else f"{len(values):,}"
    rest = ", …" if len(values) > MAX_VALUES else ""
    return f"{number} value{'s' if len(values) != 1 else ''}: {top}{rest}"


def counted(number: int, what: str) -> str:
    """So many of something."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
