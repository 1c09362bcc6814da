"""Columns of text as columns of 64-bit numbers, a block of rows at a time.

What is allowed to be missing is NaN. What cannot be told at a glance is `UNDECIDED`: the
caller reads it by its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import ge, le

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from contract.schema import Feature
from tabular import values
from tabular.rows import floats, has_numeric_marker

Matrix = NDArray[np.float64]

UNDECIDED = np.inf
REMEMBERED_TEXTS = 10_000
REMEMBERED_CHARACTERS = 100
"""Of a column's texts, so many, no longer than this, are read by their rule only once."""


class Numbers:
    """Columns of numbers. `places` says where in a row each feature's text is."""

    def __init__(self, features: Sequence[Feature], places: Sequence[int]) -> None:
        self._places = tuple(places)
        self._lows = np.array([-values.LARGEST if f.minimum is None else f.minimum for f in features])
        self._highs = np.array([values.LARGEST if f.maximum is None else f.maximum for f in features])
        # A marker such as -999 reads as a number, so that a number may always be one.
        marked = [has_numeric_marker(feature) for feature in features]
        self._least, self._most = np.where(marked, np.inf, self._lows).tolist(), self._highs.tolist()
        self._any_marked = any(marked)
        self._markers = pa.array(sorted({"", *(m for f in features for m in f.missing)}), pa.string())
        # Whether each marker is a missing value of each feature. The last row is for what is none.
        self._missing = np.array(
            [[not f.required and m in ("", *f.missing) for f in features] for m in self._markers.to_pylist()]
            + [[False] * len(features)]
        )

    def read(self, row: Sequence[str]) -> list[float]:
        """One row's texts."""
        found = floats([row[place] for place in self._places])
        if all(map(le, self._least, found)) and all(map(ge, self._most, found)):
            return found
        bounded = zip(self._least, found, self._most, strict=True)
        return [x if low <= x <= high else UNDECIDED for low, x, high in bounded]

    def read_cells(self, cells: pa.StringArray, width: int, step: int = 1) -> Matrix:
        """[rows, features] of rows of `width` cells, of which one is every `step`th text."""
        if not self._any_marked:
            try:
                matrix = self._cast_in_place(cells, width, step)
            except pa.ArrowInvalid:
                pass
            else:
                plain = (matrix >= self._lows) & (matrix <= self._highs)
                if np.count_nonzero(plain) != plain.size:
                    matrix[~plain] = UNDECIDED
                return matrix
        return self._with_missing(cells.take(_at(len(cells), width * step, self._places, step)))

    def _cast_in_place(self, cells: pa.StringArray, width: int, step: int) -> Matrix:
        """Of all texts only those of these columns are cast, where they are: the others are null."""
        _, offsets, data = cells.buffers()
        valid = _validity(len(cells), width * step, self._places, step)
        masked = pa.StringArray.from_buffers(len(cells), offsets, data, valid, -1, cells.offset)
        found = np.frombuffer(masked.cast(pa.float64()).buffers()[1], np.float64, len(cells))
        matrix: Matrix = found.reshape(-1, width * step)[:, [step * place for place in self._places]]
        return matrix

    def _with_missing(self, texts: pa.StringArray) -> Matrix:
        marker = pc.index_in(texts, self._markers)
        texts = pc.if_else(marker.is_null(), texts, None)
        columns = len(self._places)
        try:
            matrix = _cast(texts).reshape(-1, columns)
        except pa.ArrowInvalid:
            matrix = np.column_stack([_cast_or_floats(texts[i::columns]) for i in range(columns)])
        at = marker.fill_null(len(self._markers)).to_numpy().reshape(matrix.shape)
        missing = self._missing[at, np.arange(columns)]
        plain = missing | ((matrix >= self._lows) & (matrix <= self._highs))
        return np.where(plain, matrix, UNDECIDED)


class Texts:
    """Columns whose values repeat: datetimes and categories. Each text is read by its rule once."""

    def __init__(self, rules: Sequence[Callable[[str], float]], places: Sequence[int]) -> None:
        self._places = tuple(places)
        self._known = [_Known(rule) for rule in rules]
        self._pairs = list(zip(places, self._known, strict=True))

    def read(self, row: Sequence[str]) -> list[float]:
        """One row's texts."""
        return [known[row[place]] for place, known in self._pairs]

    def read_cells(self, cells: pa.StringArray, width: int, step: int = 1) -> Matrix:
        """[rows, rules] of rows of `width` cells, of which one is every `step`th text."""
        columns = len(self._places)
        if not columns:
            return np.empty((len(cells) // (width * step), 0))
        encoded = cells.take(_at(len(cells), width * step, self._places, step)).dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        pairs = encoded.indices.to_numpy().reshape(-1, columns) * columns + np.arange(columns)
        # What a text is in a column, for those of all pairs that there are.
        found = np.empty(len(texts) * columns)
        for pair in np.flatnonzero(np.bincount(pairs.ravel(), minlength=len(found))).tolist():
            found[pair] = self._known[pair % columns][texts[pair // columns]]
        matrix: Matrix = found[pairs]
        return matrix


class _Known(dict[str, float]):
    """What texts are by a rule; `UNDECIDED` where it refuses them."""

    def __init__(self, rule: Callable[[str], float]) -> None:
        self._rule = rule

    def __missing__(self, text: str) -> float:
        try:
            found = self._rule(text)
        except values.RefusedError:
            found = UNDECIDED
        if len(self) < REMEMBERED_TEXTS and len(text) <= REMEMBERED_CHARACTERS:
            self[text] = found
        return found


@lru_cache(maxsize=16)
def _at(texts: int, width: int, places: tuple[int, ...], step: int) -> pa.Int64Array:
    """Where some columns' cells are among texts, `width` a row. Clients send as many again and again."""
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
    found: Matrix = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def _cast_or_floats(texts: pa.StringArray) -> Matrix:
    try:
        return _cast(texts)
    except pa.ArrowInvalid:
        return np.array(floats(texts.fill_null("").to_pylist()))
