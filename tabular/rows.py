"""Rows of text as what a model takes: the rules of `tabular.values`, at the speed of a server.

`validate`, `prepare` and the model server all read rows here, so that what a model is trained on
and what it is asked to score are held to the same rules by the same lines of code. A block of rows
is read as a whole, and only the cells that are not plainly in order are read one by one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract.reasons import FileReason, RowReason, Unscorable, lacking
from contract.schema import NUMERIC, Feature
from tabular import values
from tabular.columns import CellTexts, ColumnGroup, ColumnValues, Matrix, Rule, Value, written

R = TypeVar("R")
Texts = NDArray[np.object_]
TextRows = Sequence[Sequence[str]]

NO_TEXTS: Texts = np.empty((0, 0), object)
"""Of models that read no texts."""
MANY_ROWS = 12
"""From so many rows on, reading all cells at once is faster than reading row by row."""


class Refusal(NamedTuple):
    """One refused value: its row among those read (from 0), its column, why, and as it was written."""

    row: int
    column: str
    code: RowReason
    message: str
    text: str


class RowValues(NamedTuple):
    """Rows as they are trained on, and what was refused in them, by row.

    `numbers` is float64 [rows, numeric features], NaN where missing; `categories` holds
    str [rows, categorical features] and `texts` str [rows, textual features], both empty where
    missing. A refused value is left missing.
    """

    numbers: NDArray[np.float64]
    categories: NDArray[np.object_]
    texts: Texts
    refusals: list[Refusal]


class TextTable(NamedTuple):
    """Column names and rows of text. A row may have more or fewer cells than there are columns.

    `nested` are the cells that hold a list or an object, whose text is left empty.
    """

    header: tuple[str, ...]
    rows: list[list[str]]
    nested: Sequence[Refusal] = ()


class TableRead(NamedTuple, Generic[R]):
    """The rows of `width` cells as they were read, and by its place how many cells each other row has."""

    rows: R
    ragged: Mapping[int, int]
    width: int


class RowReader(ABC, Generic[R]):
    """Reads rows that have one header as one list of features.

    Made once for a header and used for every row under it; safe to use from several threads.
    """

    def __init__(self, features: Sequence[Feature], header: Sequence[str]) -> None:
        """
        Raises:
            Unscorable: a feature's column is missing from the header, or there twice.
        """
        self.width = len(header)
        self._places = places_of(header, [feature.name for feature in features])
        self._order = {feature.name: i for i, feature in enumerate(features)}
        self._prose = [feature for feature in features if feature.type == "text"]
        self._groups = self._grouped(features)
        needed = sorted(self._places.values())
        self._narrow = None
        if len(needed) < self.width:
            self._narrow = _picker(needed), self._under([header[place] for place in needed])

    def read_table(self, rows: TextRows, nested: Sequence[Refusal] = ()) -> TableRead[R]:
        """Read rows of any width; cells that are `nested` are refused as such, whatever their text."""
        ragged = {i: len(row) for i, row in enumerate(rows) if len(row) != self.width}
        even = [row for row in rows if len(row) == self.width] if ragged else rows
        return TableRead(self.read(even, nested), ragged, self.width)

    def read(self, rows: TextRows, nested: Sequence[Refusal] = ()) -> R:
        """Read rows of `width` texts each."""
        if len(rows) < MANY_ROWS:
            return self._read_by_row(rows, nested)
        if self._narrow is not None:
            pick, narrow = self._narrow
            return narrow.read([pick(row) for row in rows], nested)
        try:
            cells = pa.array([*chain.from_iterable(rows)], pa.string())
        except UnicodeEncodeError:  # JSON can hold what no Unicode text can
            return self._read_by_row(rows, nested)
        return self.read_cells(cells, nested=nested)

    def read_cells(self, texts: pa.StringArray, step: int = 1, nested: Sequence[Refusal] = ()) -> R:
        """Read the same of rows cell by cell, one row after the other: of many rows, several times as fast.

        Every `step`th text is a cell, the first one is.
        """
        cells = CellTexts(texts, self.width, step)
        refusals: list[Refusal] = []
        matrices = [
            self._decided(group, group.read_cells(cells), cells.text, refusals) for group in self._groups
        ]
        return self._finished(matrices, cells.column, refusals, nested)

    def read_values(self, columns: Sequence[Sequence[Value]], nested: Sequence[Refusal] = ()) -> R:
        """Read the same of values column by column, in the header's order."""
        if len(columns[0]) < MANY_ROWS:
            return self._read_by_row([*zip(*columns, strict=True)], nested)
        refusals: list[Refusal] = []

        def text(row: int, place: int) -> str:
            return written(columns[place][row])

        matrices = [
            self._decided(group, group.read_values(columns), text, refusals) for group in self._groups
        ]
        return self._finished(matrices, lambda place: [*map(written, columns[place])], refusals, nested)

    def _read_by_row(self, rows: Sequence[Sequence[Value]], nested: Sequence[Refusal]) -> R:
        refusals: list[Refusal] = []

        def text(row: int, place: int) -> str:
            return written(rows[row][place])

        matrices = [self._decided(group, group.read_rows(rows), text, refusals) for group in self._groups]
        return self._finished(matrices, lambda place: [written(row[place]) for row in rows], refusals, nested)

    def _decided(
        self, group: ColumnGroup, read: ColumnValues, text: Callable[[int, int], str], refusals: list[Refusal]
    ) -> Matrix:
        """Return a group's values, the undecided ones by their rules."""
        matrix, undecided = read
        if undecided is not None:
            for row, i in np.argwhere(undecided).tolist():
                feature, rule = group.features[i], group.rules[i]
                written = text(row, self._places[feature.name])
                matrix[row, i] = attempt(rule, feature, row, written, group.missing, refusals)
        return matrix

    def _finished(
        self,
        matrices: list[Matrix],
        column: Callable[[int], Sequence[str]],
        refusals: list[Refusal],
        nested: Sequence[Refusal],
    ) -> R:
        texts = NO_TEXTS
        if self._prose:
            columns = [(feature, column(self._places[feature.name])) for feature in self._prose]
            texts = _words(columns, refusals)
        if nested:
            refusals = _replaced(refusals, nested)
        if len(refusals) > 1:
            refusals.sort(key=lambda refusal: (refusal.row, self._order[refusal.column]))
        return self._assembled(matrices, texts, refusals)

    @abstractmethod
    def _grouped(self, features: Sequence[Feature]) -> list[ColumnGroup]:
        """Return the columns that end in one matrix each."""

    @abstractmethod
    def _assembled(self, matrices: list[Matrix], texts: Texts, refusals: list[Refusal]) -> R:
        """Return what was read: a matrix a group, and the texts, if there are any."""

    @abstractmethod
    def _under(self, header: Sequence[str]) -> RowReader[R]:
        """Return a reader of the same features under another header."""


class ValueReader(RowReader[RowValues]):
    """Reads rows as they are trained on."""

    def __init__(self, features: Sequence[Feature], header: Sequence[str]) -> None:
        self._features = features
        self._order_of_numeric = as_they_come(features)
        super().__init__(features, header)

    def _grouped(self, features: Sequence[Feature]) -> list[ColumnGroup]:
        numbers, datetimes, categories = by_type(features)
        by_rule = [(feature, values.category) for feature in categories]
        return [
            ColumnGroup(numbers, datetimes, self._places),
            ColumnGroup([], by_rule, self._places, dtype=object, missing=values.MISSING),
        ]

    def _assembled(self, matrices: list[Matrix], texts: Texts, refusals: list[Refusal]) -> RowValues:
        numbers, categories = matrices
        texts = texts if self._prose else np.empty((len(numbers), 0), object)
        return RowValues(numbers[:, self._order_of_numeric], categories, texts, refusals)

    def _under(self, header: Sequence[str]) -> ValueReader:
        return ValueReader(self._features, header)


def places_of(header: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Return where each name's column is.

    Blanks around a column's name mean nothing, unless it is asked for with them.

    Raises:
        Unscorable: a column is missing from the header, or there twice.
    """
    stripped = [column.strip() for column in header]
    places = {
        name: [i for i, column in enumerate(header) if column == name]
        or [i for i, column in enumerate(stripped) if column == name]
        for name in names
    }
    missing = [name for name in names if not places[name]]
    if missing:
        raise Unscorable(
            code=FileReason.MISSING_COLUMN,
            message=lacking(missing, names),
            column=missing[0],
            line=1,
        )
    for name, at in places.items():
        if len(at) > 1:
            message = f"The table has {len(at)} columns {name!r}."
            raise Unscorable(code=FileReason.DUPLICATE_COLUMN, message=message, column=name, line=1)
    return {name: at[0] for name, at in places.items()}


def wrong_field_count(fields: int, width: int) -> str:
    """Return the sentence that refuses a row of so many fields."""
    return f"{fields} fields under a header of {width}"


def attempt(rule: Rule, feature: Feature, row: int, text: str, fallback: Any, refusals: list[Refusal]) -> Any:
    """Read a text by its rule; where it refuses, return `fallback` and add to `refusals`."""
    try:
        return rule(feature, text)
    except values.RefusedError as refused:
        refusals.append(Refusal(row, feature.name, refused.code, str(refused), text))
        return fallback


def _replaced(refusals: Sequence[Refusal], nested: Sequence[Refusal]) -> list[Refusal]:
    """Return refusals in which these cells are refused too, and for nothing else."""
    cells = {(refusal.row, refusal.column) for refusal in nested}
    return [*(refusal for refusal in refusals if (refusal.row, refusal.column) not in cells), *nested]


def _words(columns: Sequence[tuple[Feature, Sequence[str]]], refusals: list[Refusal]) -> Texts:
    """Return the words of textual features [rows, columns]."""
    matrix = np.empty((len(columns[0][1]), len(columns)), dtype=object)
    for slot, (feature, column) in enumerate(columns):
        matrix[:, slot] = [
            attempt(values.words, feature, i, text, values.MISSING, refusals) for i, text in enumerate(column)
        ]
    return matrix


def by_type(features: Sequence[Feature]) -> tuple[list[Feature], list[tuple[Feature, Rule]], list[Feature]]:
    """Return the numbers, the datetimes with their rule, and the categories."""
    numbers, datetimes, categories = (
        [feature for feature in features if feature.type == kind]
        for kind in ("number", "datetime", "category")
    )
    return numbers, [(feature, values.hours) for feature in datetimes], categories


def as_they_come(features: Sequence[Feature]) -> list[int]:
    """Return where each numeric feature is among the numbers and then the datetimes."""
    numeric = [feature for feature in features if feature.type in NUMERIC]
    read = sorted(numeric, key=lambda feature: feature.type == "datetime")
    return [read.index(feature) for feature in numeric]


def _picker(places: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return what takes the cells of these places, one or more, from a row."""
    # Of one place alone, itemgetter would give the cell rather than a row of it.
    return itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
