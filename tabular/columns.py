"""Columns of text as columns of 64-bit numbers or of other values, a block of rows at a time.

What is allowed to be missing is NaN. What is not plainly in order is `UNDECIDED`: the caller
reads it by its rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain
from operator import ge, le
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import DTypeLike, NDArray

from contract.schema import Feature
from tabular import values

Matrix = NDArray[Any]
Rule = Callable[[Feature, str], Any]
"""Makes a value of a feature of a text, or raises `values.RefusedError`."""

Value = str | int | float | bool | None
"""A cell of a format that has more than texts: numbers, booleans, and nothing."""

_EXPONENT = 1e16
"""From here on the shortest text of a number has an exponent."""
UNDECIDED = np.inf
REMEMBERED_TEXTS = 10_000
REMEMBERED_CHARACTERS = 100
"""Of a column's texts, so many, no longer than this, are read by their rule only once."""


class CellTexts(NamedTuple):
    """Rows of `width` cells, one after the other: every `step`th of the texts from the first one on."""

    texts: pa.StringArray
    width: int
    step: int = 1

    @property
    def rows(self) -> int:
        return len(self.texts) // (self.width * self.step)

    def text(self, row: int, place: int) -> str:
        """Return one cell."""
        return str(self.texts[self.step * (row * self.width + place)].as_py())

    def column(self, place: int) -> list[str]:
        """Return the cells at one place of all rows."""
        texts: list[str] = self.texts[self.step * place :: self.step * self.width].to_pylist()
        return texts


class ColumnValues(NamedTuple):
    """Values [rows, columns], and which of them are `UNDECIDED`; None where none is."""

    matrix: Matrix
    undecided: NDArray[np.bool_] | None


class NumberColumns:
    """Columns of numbers. `places` says where in a row each feature's text is."""

    def __init__(self, features: Sequence[Feature], places: Sequence[int]) -> None:
        self._places = tuple(places)
        self._at = np.array(places, int)
        self._lows = np.array([-values.LARGEST if f.minimum is None else f.minimum for f in features])
        self._highs = np.array([values.LARGEST if f.maximum is None else f.maximum for f in features])
        # A marker such as -999 reads as a number, so that a number of one row may always be one.
        marked = [bool(values.numeric_markers(feature)) for feature in features]
        self._least, self._most = np.where(marked, np.inf, self._lows).tolist(), self._highs.tolist()
        self._markers = pa.array(sorted({"", *(m for f in features for m in f.missing)}), pa.string())
        # Whether each marker is a missing value of each feature. The last row is for what is none.
        self._optional = np.array([not feature.required for feature in features])
        self._numeric_markers = [
            (i, marker) for i, feature in enumerate(features) for marker in values.numeric_markers(feature)
        ]
        self._missing = np.array(
            [[not f.required and m in ("", *f.missing) for f in features] for m in self._markers.to_pylist()]
            + [[False] * len(features)]
        )

    def read_row(self, row: Sequence[Value]) -> list[Any]:
        """Read one row."""
        cells = [row[place] for place in self._places]
        try:
            numbers = floats(cells)  # type: ignore[arg-type]
        except TypeError:
            numbers = [cell if type(cell) is float else _number(cell) for cell in cells]
        if all(map(le, self._least, numbers)) and all(map(ge, self._most, numbers)):
            return numbers
        bounded = zip(self._least, numbers, self._most, strict=True)
        return [x if low <= x <= high else UNDECIDED for low, x, high in bounded]

    def read_cells(self, cells: CellTexts) -> ColumnValues:
        """Read all rows at once."""
        try:
            return self._judged(self._cast_in_place(cells))
        except pa.ArrowInvalid:
            return self._with_missing(_of_columns(cells, self._places))

    def read_values(self, columns: Sequence[Sequence[Value]]) -> ColumnValues:
        """Read all rows at once, given column by column."""
        cells = [*chain.from_iterable([columns[place] for place in self._places])]
        shape = len(self._places), -1
        matrix = np.array(cells)
        if matrix.dtype.kind in "fiu":
            return self._judged(matrix.reshape(shape).T)
        matrix = np.array([_number(cell) for cell in cells]).reshape(shape).T
        return self._judged(matrix, np.isnan(matrix) & self._optional)

    def _judged(self, matrix: Matrix, missing: NDArray[np.bool_] | None = None) -> ColumnValues:
        plain = (matrix >= self._lows) & (matrix <= self._highs)
        if missing is not None:
            plain |= missing
        for column, marker in self._numeric_markers:
            marked = matrix[:, column] == marker
            if marked.any():
                matrix[marked, column] = np.nan
                plain[marked, column] = self._optional[column]
        if np.count_nonzero(plain) == plain.size:
            return ColumnValues(matrix, None)
        return ColumnValues(np.where(plain, matrix, UNDECIDED), ~plain)

    def _cast_in_place(self, cells: CellTexts) -> Matrix:
        """Of all texts only those of these columns are cast, where they are: the others are null."""
        texts, (_, width, step) = cells.texts, cells
        _, offsets, data = texts.buffers()
        valid = _validity(len(texts), width * step, self._places, step)
        masked = pa.StringArray.from_buffers(len(texts), offsets, data, valid, -1, texts.offset)
        numbers = np.frombuffer(masked.cast(pa.float64()).buffers()[1], np.float64, len(texts))
        return numbers.reshape(-1, width * step).take(step * self._at, axis=1)

    def _with_missing(self, texts: pa.StringArray) -> ColumnValues:
        marker = pc.index_in(texts, self._markers)
        texts = pc.if_else(marker.is_null(), texts, None)
        columns = len(self._places)
        try:
            matrix = np.array(_cast(texts)).reshape(-1, columns)
        except pa.ArrowInvalid:
            matrix = np.column_stack([_cast_or_floats(texts[i::columns]) for i in range(columns)])
        at = marker.fill_null(len(self._markers)).to_numpy().reshape(matrix.shape)
        return self._judged(matrix, self._missing[at, np.arange(columns)])


class TextColumns:
    """Columns whose values repeat: datetimes and categories. Each text is read by its rule once."""

    def __init__(
        self, rules: Sequence[Callable[[str], Any]], places: Sequence[int], dtype: DTypeLike
    ) -> None:
        """`dtype` is that of what the rules make of a text."""
        self._dtype = dtype
        self._places = tuple(places)
        self._known = [_Known(rule) for rule in rules]
        self._pairs = list(zip(places, self._known, strict=True))

    def read_row(self, row: Sequence[Value]) -> list[Any]:
        """Read one row."""
        return [
            known[cell if type(cell := row[place]) is str else written(cell)] for place, known in self._pairs
        ]

    def read_cells(self, cells: CellTexts) -> ColumnValues:
        """Read all rows at once."""
        columns = len(self._places)
        encoded = _of_columns(cells, self._places).dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        pairs = encoded.indices.to_numpy().reshape(-1, columns) * columns + np.arange(columns)
        # What a text is in a column, for those of all pairs that there are.
        of_pair = np.empty(len(texts) * columns, self._dtype)
        for pair in np.flatnonzero(np.bincount(pairs.ravel(), minlength=len(of_pair))).tolist():
            of_pair[pair] = self._known[pair % columns][texts[pair // columns]]
        return self._judged(of_pair[pairs])

    def read_values(self, columns: Sequence[Sequence[Value]]) -> ColumnValues:
        """Read all rows at once, given column by column."""
        rows = len(columns[0])
        cells = chain.from_iterable(
            map(known.__getitem__, _texts(columns[place])) for place, known in self._pairs
        )
        matrix = np.fromiter(cells, self._dtype, rows * len(self._pairs)).reshape(-1, rows).T
        return self._judged(matrix)

    def _judged(self, matrix: Matrix) -> ColumnValues:
        if not any(known.refuses for known in self._known):
            return ColumnValues(matrix, None)
        undecided = matrix == UNDECIDED
        return ColumnValues(matrix, undecided if np.count_nonzero(undecided) else None)


class ColumnGroup:
    """Columns that end in one matrix: some numbers, and others each by its rule, in the order of `features`.

    `missing` is what a missing value and a refused one is.
    """

    def __init__(
        self,
        numbers: Sequence[Feature],
        others: Sequence[tuple[Feature, Rule]],
        places: Mapping[str, int],
        *,
        dtype: DTypeLike = np.float64,
        missing: Any = np.nan,
    ) -> None:
        """`places` says where in a row each feature is, by its name."""
        self.features = [*numbers, *(feature for feature, _ in others)]
        self.rules: list[Rule] = [values.number] * len(numbers) + [rule for _, rule in others]
        self.missing = missing
        self._dtype = dtype
        self._parts: list[NumberColumns | TextColumns] = []
        if numbers:
            self._parts.append(NumberColumns(numbers, [places[feature.name] for feature in numbers]))
        if others:
            known = [partial(rule, feature) for feature, rule in others]
            of_texts = object if dtype is object else np.float64
            self._parts.append(TextColumns(known, [places[feature.name] for feature, _ in others], of_texts))

    def read_rows(self, rows: Sequence[Sequence[Value]]) -> ColumnValues:
        """Read a few rows, one by one."""
        cells = [cell for row in rows for part in self._parts for cell in part.read_row(row)]
        matrix = np.array(cells, self._dtype).reshape(len(rows), len(self.features))
        return ColumnValues(matrix, matrix == UNDECIDED if UNDECIDED in cells else None)

    def read_cells(self, cells: CellTexts) -> ColumnValues:
        """Read many rows at once."""
        return self._joined([part.read_cells(cells) for part in self._parts], cells.rows)

    def read_values(self, columns: Sequence[Sequence[Value]]) -> ColumnValues:
        """Read all rows at once, given column by column."""
        return self._joined([part.read_values(columns) for part in self._parts], len(columns[0]))

    def _joined(self, read: Sequence[ColumnValues], rows: int) -> ColumnValues:
        if not read:
            return ColumnValues(np.empty((rows, 0), self._dtype), None)
        matrix = np.concatenate(
            [matrix for matrix, _ in read], axis=1, dtype=self._dtype, casting="same_kind"
        )
        if not [mask for _, mask in read if mask is not None]:
            return ColumnValues(matrix, None)
        shaped = [np.zeros(part.shape, bool) if mask is None else mask for part, mask in read]
        return ColumnValues(matrix, np.concatenate(shaped, axis=1))


class _Known(dict[str, Any]):
    """Values of texts by a rule; `UNDECIDED` where it refuses them, and then it `refuses` some."""

    def __init__(self, rule: Callable[[str], Any]) -> None:
        self.refuses = False
        self._rule = rule

    def __missing__(self, text: str) -> Any:
        try:
            value = self._rule(text)
        except values.RefusedError:
            value = UNDECIDED
            self.refuses = True
        if len(self) < REMEMBERED_TEXTS and len(text) <= REMEMBERED_CHARACTERS:
            self[text] = value
        return value


def floats(texts: Sequence[str]) -> list[float]:
    """Read what each text plainly writes; NaN where `values.number` must say what it is."""
    joined = "".join(texts)
    if "_" not in joined and joined.isascii():
        try:
            return list(map(float, texts))
        except ValueError:
            pass
    return [math.nan if x is None else x for x in map(values.plain_float, texts)]


def written(value: Value) -> str:
    """Return the text of a value: the shortest of a number (5 and 5.0 are the same), none of nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXPONENT:
        value = int(value)
    return "" if value is None else repr(value)


def _texts(column: Sequence[Value]) -> Iterable[str]:
    return column if {*map(type, column)} == {str} else map(written, column)  # type: ignore[return-value]


def _number(cell: Value) -> float:
    """Return a cell's number, NaN where there is none, `UNDECIDED` where its text is no plain one."""
    if cell is None:
        return math.nan
    number = values.plain_float(cell) if isinstance(cell, str) else float(cell)
    return UNDECIDED if number is None or math.isnan(number) else number


def _of_columns(cells: CellTexts, places: tuple[int, ...]) -> pa.StringArray:
    """The texts of some columns, row by row."""
    texts, width, step = cells
    return texts.take(_at(len(texts), width * step, places, step))


@lru_cache(maxsize=16)
def _at(texts: int, width: int, places: tuple[int, ...], step: int) -> pa.Int64Array:
    """The places of some columns' cells among texts, `width` a row. Clients send as many again and again."""
    rows = np.arange(0, texts, width)
    return pa.array((rows[:, np.newaxis] + step * np.array(places, int)).ravel())


@lru_cache(maxsize=16)
def _validity(texts: int, width: int, places: tuple[int, ...], step: int) -> pa.Buffer:
    """Arrow's bitmap in which only these columns' cells are not null."""
    valid = np.zeros((texts // width, width), bool)
    valid[:, [step * place for place in places]] = True
    return pa.py_buffer(np.packbits(valid.ravel(), bitorder="little"))


def _cast(texts: pa.StringArray) -> Matrix:
    """Plain numbers, NaN where null.

    Raises:
        pa.ArrowInvalid: one of the texts is none.
    """
    numbers: Matrix = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers


def _cast_or_floats(texts: pa.StringArray) -> Matrix:
    try:
        return _cast(texts)
    except pa.ArrowInvalid:
        return np.array(floats(texts.fill_null("").to_pylist()))
