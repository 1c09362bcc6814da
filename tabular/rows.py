"""Rows of text as the model's tensors: the rules of `tabular.values`, at the speed of a server.

`validate`, `prepare` and the model server all read rows here, so that what a model is
trained on and what it is asked to score are held to the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from contract.reasons import FileReason, RowReason, Unscorable, lacking
from contract.schema import NUMERIC, Feature
from tabular import values

T = TypeVar("T")
Rows = Sequence[Sequence[str]]

NO_TEXTS: NDArray[np.object_] = np.empty((0, 0), object)
"""Of models that read no texts."""


class Fault(NamedTuple):
    """One refused value: its row in the block (from 0), its column, why, and as it was written."""

    row: int
    column: str
    code: RowReason
    message: str
    text: str


class Block(NamedTuple):
    """Rows as the model takes them, and what was refused in them, by row.

    `numbers` is float32 [rows, numeric features], NaN where missing; `categories` holds
    str [rows, categorical features] and `texts` str [rows, textual features], both empty where
    missing. A refused value is left missing.
    """

    numbers: NDArray[np.float32]
    categories: NDArray[np.object_]
    texts: NDArray[np.object_]
    faults: list[Fault]


class RowReader:
    """Reads rows that have one header as one list of features.

    Made once for a header and used for every row under it.
    """

    def __init__(self, features: Sequence[Feature], header: Sequence[str]) -> None:
        """
        Raises:
            Unscorable: a feature's column is missing from the header, or there twice.
        """
        places = places_of(header, [feature.name for feature in features])
        numeric = [f for f in features if f.type in NUMERIC]
        self.width = len(header)
        self.names = frozenset(places)
        self._numeric = len(numeric)
        self._order = {feature.name: i for i, feature in enumerate(features)}
        self._numbers = [f for f in numeric if f.type == "number"]
        self._number_places = [places[f.name] for f in self._numbers]
        self._number_slots = [i for i, f in enumerate(numeric) if f.type == "number"]
        self._lows = np.array([_either(f.minimum, -values.LARGEST) for f in self._numbers])
        self._highs = np.array([_either(f.maximum, values.LARGEST) for f in self._numbers])
        # A marker such as -999 reads as a number: these columns are looked at value by value.
        self._marked = [i for i, f in enumerate(self._numbers) if has_numeric_marker(f)]
        self._datetimes = [(i, places[f.name], f) for i, f in enumerate(numeric) if f.type == "datetime"]
        self._categories = [(places[f.name], f, _known(f)) for f in features if f.type == "category"]
        self._texts = [(places[f.name], f) for f in features if f.type == "text"]

    def read(self, rows: Rows) -> Block:
        """Rows of `width` texts each as a block of as many rows."""
        faults: list[Fault] = []
        numbers = self._read_numbers(rows, faults)
        if self._datetimes:
            numbers = self._with_datetimes(rows, numbers, faults)
        categories = self._read_categories(rows, faults)
        texts = read_texts(rows, self._texts, faults)
        if len(faults) > 1:
            faults.sort(key=lambda fault: (fault.row, self._order[fault.column]))
        return Block(numbers.astype(np.float32), categories, texts, faults)

    def _read_numbers(self, rows: Rows, faults: list[Fault]) -> NDArray[np.float64]:
        places = self._number_places
        texts = [row[place] for row in rows for place in places]
        matrix = np.array(floats(texts)).reshape(len(rows), len(places))
        # Most blocks hold nothing but plain numbers in range; only the odd cells are looked at one by one.
        plain = (matrix >= self._lows) & (matrix <= self._highs)
        plain[:, self._marked] = False
        if not plain.all():
            for row, i in np.argwhere(~plain).tolist():
                text = texts[row * len(places) + i]
                matrix[row, i] = attempt(values.number, self._numbers[i], row, text, np.nan, faults)
        return matrix

    def _with_datetimes(
        self, rows: Rows, numbers: NDArray[np.float64], faults: list[Fault]
    ) -> NDArray[np.float64]:
        matrix = np.empty((len(rows), self._numeric))
        matrix[:, self._number_slots] = numbers
        for slot, place, feature in self._datetimes:
            matrix[:, slot] = [
                attempt(values.hours, feature, i, row[place], np.nan, faults) for i, row in enumerate(rows)
            ]
        return matrix

    def _read_categories(self, rows: Rows, faults: list[Fault]) -> NDArray[np.object_]:
        matrix = np.empty((len(rows), len(self._categories)), dtype=object)
        for slot, (place, feature, known) in enumerate(self._categories):
            texts = _whole([row[place].strip() for row in rows])
            is_open = feature.values is None
            found = [known.get(text, text) for text in texts] if is_open else [known.get(t) for t in texts]
            if None in found:
                refused = [i for i, text in enumerate(found) if text is None]
                for i in refused:
                    found[i] = attempt(values.category, feature, i, texts[i], values.MISSING, faults)
            matrix[:, slot] = found
        return matrix


def read_texts(
    rows: Rows, columns: Sequence[tuple[int, Feature]], faults: list[Fault]
) -> NDArray[np.object_]:
    """The words of textual features [rows, columns], each with its place in a row."""
    matrix = np.empty((len(rows), len(columns)), dtype=object)
    for slot, (place, feature) in enumerate(columns):
        matrix[:, slot] = [
            attempt(values.words, feature, i, row[place], values.MISSING, faults)
            for i, row in enumerate(rows)
        ]
    return matrix


def places_of(header: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Where each name's column is. Blanks around a column's name mean nothing, unless it is asked for."""
    stripped = [column.strip() for column in header]
    found = {
        name: [i for i, column in enumerate(header) if column == name]
        or [i for i, column in enumerate(stripped) if column == name]
        for name in names
    }
    missing = [name for name in names if not found[name]]
    if missing:
        raise Unscorable(
            code=FileReason.MISSING_COLUMN,
            message=lacking(missing, names),
            column=missing[0],
            line=1,
        )
    for name, places in found.items():
        if len(places) > 1:
            message = f"The table has {len(places)} columns {name!r}."
            raise Unscorable(code=FileReason.DUPLICATE_COLUMN, message=message, column=name, line=1)
    return {name: places[0] for name, places in found.items()}


def floats(texts: Sequence[str]) -> list[float]:
    """What each text plainly writes; NaN where `values.number` must say what it is."""
    joined = "".join(texts)
    if "_" not in joined and joined.isascii():
        try:
            return list(map(float, texts))
        except ValueError:
            pass
    return [math.nan if x is None else x for x in map(values.plain_float, texts)]


def _whole(texts: list[str]) -> list[str]:
    joined = "".join(texts)
    return texts if joined.isascii() else [values.whole(text) for text in texts]


def _known(feature: Feature) -> dict[str, str | None]:
    """What a stripped text becomes, where that is known beforehand; None sends it to `values.category`."""
    missing = None if feature.required else values.MISSING
    return {
        **{value: values.spelled(feature, value) for value in feature.values or ()},
        **dict.fromkeys(("", *feature.missing), missing),
    }


def has_numeric_marker(feature: Feature) -> bool:
    """Whether a marker of a missing value reads as a number."""
    return any(values.plain_float(marker) is not None for marker in feature.missing)


def _either(bound: float | None, limit: float) -> float:
    return limit if bound is None else bound


def attempt(
    rule: Callable[[Feature, str], T], feature: Feature, row: int, text: str, fallback: T, faults: list[Fault]
) -> T:
    """A text by its rule; where it refuses, `fallback` and one more of `faults`."""
    try:
        return rule(feature, text)
    except values.RefusedError as refused:
        faults.append(Fault(row, feature.name, refused.code, str(refused), text))
        return fallback
