"""Parts of dates: what the calendar and the clock say, in UTC, at an hour since 1970.

The calendar is the proleptic Gregorian one, by the arithmetic of Howard Hinnant's
`civil_from_days` (chrono-Compatible Low-Level Date Algorithms, 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from training.features.onnx_nodes import Fragment, Writer

PARTS = {"month": 13, "day": 32, "weekday": 7, "hour": 24}
"""Each with one more than its greatest value. Months and days count from 1, weekdays from Monday, 0."""
MISSING_PART = -1.0

_DAYS_BEFORE_1970 = 719_468
"""Since March 1, 0000, so that no date there is counts from a negative number."""
_ERA, _CENTURY, _FOUR_YEARS, _YEAR = 146_097, 36_524, 1_460, 365


def parts(base: str, datetimes: Sequence[tuple[int, str]], kept: Sequence[int] | None = None) -> Fragment:
    """Columns of `base` float [n, k] that hold hours since 1970, NaN where missing, as their parts.

    `datetimes` has the place and the name of each; `kept` the places of the parts that are wanted,
    among those of all, where all of a kind are side by side.
    """
    write = Writer("date")
    hours = write("Gather", base, np.array([place for place, _ in datetimes]), axis=1)
    missing = write("IsNaN", hours)
    known = write("Where", missing, np.float32(0), hours)
    whole = write("Cast", write("Floor", known), to=TensorProto.INT64)
    civil = write("Concat", *_civil(write, whole), axis=1)
    none = write("Concat", *[missing] * len(PARTS), axis=1)
    numbers = write("Cast", civil, to=TensorProto.FLOAT)
    output = write("Where", none, np.float32(MISSING_PART), numbers)
    names = tuple(f"{name}.{part}" for part in PARTS for _, name in datetimes)
    if kept is not None:
        output = write("Gather", output, np.array(kept), axis=1)
        names = tuple(names[place] for place in kept)
    return write.fragment(output, names)


def _civil(write: Writer, hours: str) -> list[str]:
    """Month, day, weekday and hour of whole hours since 1970, in the order of `PARTS`."""
    since = write("Add", hours, _DAYS_BEFORE_1970 * 24)
    days = write("Div", since, 24)
    hour = write("Mod", since, 24)
    weekday = write("Mod", write("Add", days, 2), 7)
    in_era = write("Mod", days, _ERA)
    leap = write("Sub", write("Div", in_era, _CENTURY), write("Div", in_era, _ERA - 1))
    leap = write("Sub", leap, write("Div", in_era, _FOUR_YEARS))
    year = write("Div", write("Add", in_era, leap), _YEAR)
    centuries = write("Div", year, 100)
    before = write("Sub", write("Add", write("Mul", year, _YEAR), write("Div", year, 4)), centuries)
    in_year = write("Sub", in_era, before)
    # Months count from March here, so that a leap day is a year's last.
    from_march = write("Div", write("Add", write("Mul", in_year, 5), 2), 153)
    first = write("Div", write("Add", write("Mul", from_march, 153), 2), 5)
    day = write("Add", write("Sub", in_year, first), 1)
    month = write("Add", write("Mod", write("Add", from_march, 2), 12), 1)
    return [month, day, weekday, hour]
