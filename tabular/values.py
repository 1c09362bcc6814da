"""The rules for one value: what a model takes, and the reason where it does not.

- Blanks around a value mean nothing. An empty value, or one of the feature's `missing`
  markers, is missing: NaN for a number, `MISSING` for a category or a text.
- A number is ASCII and written plainly: `1`, `-1.5`, `.5`, `1e3`. Separators between digits
  are refused; `nan`, `inf` and what overflows 32 bits are refused as not finite.
- A datetime is ISO 8601 and becomes hours since 1970-01-01 UTC; without an offset it is UTC.
- A category is its text, and of a whole number its digits: `1.0` is `1`. An open set takes any; a
  closed one takes its `values`, and one of two words such as `true` and `false` takes them in any case.
- A text is its words: runs of two or more letters, digits or underscores, in lower case and
  Unicode's form NFKC, with one blank between them. So words are made in training and in
  serving by the same lines of code; the graph has only to split at blanks.

`tabular.rows` applies them to whole tables.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from contract.reasons import RowReason
from contract.schema import Feature

MISSING = ""
"""The missing category or text, as it enters the model. No real category is empty."""

UNSEEN = -1
"""The code of a category that training never saw."""

LARGEST = float(np.finfo(np.float32).max)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_FIRST_HOUR, _LAST_HOUR = (
    (end - EPOCH) // _HOUR for end in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC))
)
"""Of the calendar, beyond which the offset of a time may reach."""
_BITS = 24
"""Of a 32-bit float's significand."""

MOST_WORDS = 1000
"""Of a text, so many words from its beginning are read, so that no row can take all memory."""
_WHOLE = re.compile(r"(?:-?[1-9][0-9]*|0)\.0+")
_WORD = re.compile(r"\w\w+")
_SHOWN_CHARACTERS = 60
_SHOWN_VALUES = 5


class RefusedError(ValueError):
    """A value breaks its feature's rule."""

    def __init__(self, code: RowReason, message: str) -> None:
        super().__init__(message)
        self.code = code


def number(feature: Feature, text: str) -> float:
    """Return a number's value, NaN where missing.

    Raises:
        RefusedError: missing though required, no number, not finite, or out of range.
    """
    text = text.strip()
    value = plain_float(text)
    if _is_missing(feature, "" if value in numeric_markers(feature) else text):
        return math.nan
    if value is None:
        raise RefusedError(RowReason.NOT_A_NUMBER, f"{shown(text)} is not a number")
    if not abs(value) <= LARGEST:
        raise RefusedError(RowReason.NOT_FINITE, f"{shown(text)} is not a finite 32-bit number")
    if feature.minimum is not None and value < feature.minimum:
        raise RefusedError(RowReason.BELOW_MINIMUM, f"{shown(text)} is below the minimum {feature.minimum:g}")
    if feature.maximum is not None and value > feature.maximum:
        raise RefusedError(RowReason.ABOVE_MAXIMUM, f"{shown(text)} is above the maximum {feature.maximum:g}")
    return value


def numeric_markers(feature: Feature) -> frozenset[float]:
    """Return the markers of a missing value that read as numbers: a number equal to one is none, too."""
    return _numeric(feature.missing)


@lru_cache(maxsize=1024)
def _numeric(markers: tuple[str, ...]) -> frozenset[float]:
    return frozenset(number for marker in markers if (number := plain_float(marker)) is not None)


def hours(feature: Feature, text: str) -> float:
    """Return a datetime as hours since 1970-01-01 UTC, NaN where missing.

    It is the greatest 32-bit float that is not above: a present-day time is exact to two minutes,
    and never falls into the hour or the day after its own.

    Raises:
        RefusedError: missing though required, or not ISO 8601.
    """
    text = text.strip()
    if _is_missing(feature, text):
        return math.nan
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(
            RowReason.NOT_A_DATETIME, f"{shown(text)} is not an ISO 8601 date or time"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    significand, exponent = math.frexp((moment - EPOCH) / _HOUR)
    return math.ldexp(math.floor(math.ldexp(significand, _BITS)), exponent - _BITS)


def moment(hours: float) -> datetime:
    """Return the time so many hours since 1970-01-01 UTC, or the next one that the calendar has."""
    return EPOCH + timedelta(hours=max(_FIRST_HOUR, min(hours, _LAST_HOUR)))


def category(feature: Feature, text: str) -> str:
    """Return a category's text, `MISSING` where missing.

    Raises:
        RefusedError: missing though required, or not in the closed set.
    """
    text = text.strip()
    if _is_missing(feature, text):
        return MISSING
    text = spelled(feature, text)
    if feature.values is not None and text not in feature.values:
        raise RefusedError(RowReason.NOT_IN_SET, f"{shown(text)} is not one of {_listed(feature.values)}")
    return whole(text)


def spelled(feature: Feature, text: str) -> str:
    """Return a category as all formats and programs have it, whatever they make of it.

    A whole number has no fraction: pandas writes 1 as 1.0 where a value of the column is missing. In a
    set it is written as there, and so are words whose case does not matter.
    """
    if feature.values is None:
        return without_fraction(text)
    if text in feature.values:
        return text
    key = without_fraction(text.lower() if feature.ignores_case else text)
    return _spellings(feature.values, feature.ignores_case).get(key, text)


@lru_cache(maxsize=1024)
def _spellings(values: tuple[str, ...], ignores_case: bool) -> Mapping[str, str]:
    # Of values that differ only in their spelling, the first one.
    pairs = [(without_fraction(value.lower() if ignores_case else value), value) for value in values]
    return dict(reversed(pairs))


def without_fraction(text: str) -> str:
    """Return `1` of `1.0`, and any other text as it is: `01`, `1.5`, `-0.0`."""
    if text.endswith("0") and "." in text and _WHOLE.fullmatch(text):
        return text.partition(".")[0]
    return text


def whole(text: str) -> str:
    """Return a text that files can hold: U+FFFD stands for half of a surrogate pair, which JSON has."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def words(feature: Feature, text: str) -> str:
    """Return a text's words, `MISSING` where it is missing or has none.

    Raises:
        RefusedError: missing though required.
    """
    if _is_missing(feature, text.strip()):
        return MISSING
    text = text.lower() if text.isascii() else _normal(text)
    return " ".join(_WORD.findall(text)[:MOST_WORDS])


def lengths(texts: NDArray[np.object_]) -> NDArray[np.float32]:
    """Return how many words each of some texts [n] has, as `words` leaves them; NaN of one without any."""
    return np.array([text.count(" ") + 1 if text else np.nan for text in texts], np.float32)


def plain_float(text: str) -> float | None:
    """Return the float a text plainly writes, infinite and NaN included; None if it writes none."""
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def shown(text: str) -> str:
    """Return a value as a message quotes it: on one line and not too long."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…")


def _normal(text: str) -> str:
    # Lower case may undo the form.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())


def _is_missing(feature: Feature, stripped: str) -> bool:
    if stripped and stripped not in feature.missing and not _is_marker(feature.missing, stripped):
        return False
    if feature.required:
        raise RefusedError(RowReason.MISSING, "a value is required")
    return True


def _is_marker(markers: tuple[str, ...], text: str) -> bool:
    """Tell if a text is a marker but for the fraction of a whole number."""
    return any(without_fraction(marker) == without_fraction(text) for marker in markers)


def _listed(values: tuple[str, ...]) -> str:
    text = ", ".join(shown(value) for value in values[:_SHOWN_VALUES])
    more = len(values) - _SHOWN_VALUES
    return f"{text} and {more} more" if more > 0 else text
