"""Rows of text as the one matrix that a model without its encoder takes: the fast way to read.

The rules are those of `tabular.values`. A block is looked at as a whole, and only the
cells that are not plainly in order are read one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contract.schema import NUMERIC, Feature
from tabular import values
from tabular.columns import UNDECIDED, Numbers, Texts
from tabular.rows import NO_TEXTS, Fault, Rows, attempt, places_of, read_texts

MANY_ROWS = 12
"""From so many rows on, reading all cells at once is faster than reading row by row."""


class Read(NamedTuple):
    """Rows as float32 [rows, numbers and codes], and what was refused in them, by row.

    A refused value is left missing. Behind the codes the matrix has a column for each textual
    feature, which says where in `texts` str [rows, textual features] the row's text is.
    """

    matrix: NDArray[np.float32]
    faults: list[Fault]
    texts: NDArray[np.object_] = NO_TEXTS


class MatrixReader:
    """Reads rows that have one header as the numbers and codes of one model.

    Made once for a header and used for every row under it; safe to use from several threads.
    """

    def __init__(
        self, features: Sequence[Feature], header: Sequence[str], vocabularies: Sequence[Mapping[str, float]]
    ) -> None:
        """`vocabularies` has the code of each text, by categorical feature.

        Raises:
            Unscorable: a feature's column is missing from the header, or there twice.
        """
        found = places_of(header, [feature.name for feature in features])
        numbers, datetimes, categories = (
            [f for f in features if f.type == kind] for kind in ("number", "datetime", "category")
        )
        rules: list[Callable[[Feature, str], float]] = [values.number] * len(numbers)
        rules += [values.hours] * len(datetimes)
        rules += [partial(_code, vocabulary) for vocabulary in vocabularies]
        self.width = len(header)
        self._order = {feature.name: i for i, feature in enumerate(features)}
        self._features = [*numbers, *datetimes, *categories]
        self._places = [found[feature.name] for feature in self._features]
        self._prose = [(found[f.name], f) for f in features if f.type == "text"]
        self._rules = rules
        known = [
            partial(rule, feature)
            for rule, feature in zip(rules[len(numbers) :], self._features[len(numbers) :], strict=True)
        ]
        self._numbers = Numbers(numbers, self._places[: len(numbers)])
        self._texts = Texts(known, self._places[len(numbers) :])
        self._model_order = _model_order(features, self._features) if datetimes else None

    def read(self, rows: Rows) -> Read:
        """Rows of `width` texts each."""
        if len(rows) >= MANY_ROWS:
            try:
                return self.read_cells(pa.array([*chain.from_iterable(rows)], pa.string()))
            except UnicodeEncodeError:
                pass  # JSON can hold what no Unicode text can
        return self._read_by_row(rows)

    def _read_by_row(self, rows: Rows) -> Read:
        columns = len(self._places)
        cells = [cell for row in rows for part in (self._numbers, self._texts) for cell in part.read(row)]
        matrix = np.array(cells, np.float32).reshape(len(rows), columns)
        read = self._decided(matrix, lambda row, place: rows[row][place])
        return self._with_texts(read, rows) if self._prose else read

    def read_cells(self, cells: pa.StringArray, step: int = 1) -> Read:
        """The same of rows cell by cell, one row after the other: of many rows, several times as fast.

        Every `step`th text is a cell, the first one is.
        """
        parts = [part.read_cells(cells, self.width, step) for part in (self._numbers, self._texts)]
        matrix = np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind")
        read = self._decided(matrix, lambda row, place: cells[step * (row * self.width + place)].as_py())
        if not self._prose:
            return read
        texts = [cells[step * place :: step * self.width].to_pylist() for place, _ in self._prose]
        return self._with_texts(read, list(zip(*texts, strict=True)), range(len(texts)))

    def _decided(self, matrix: NDArray[np.float32], text_at: Callable[[int, int], str]) -> Read:
        faults: list[Fault] = []
        undecided = matrix == UNDECIDED
        if np.count_nonzero(undecided):
            for row, i in np.argwhere(undecided).tolist():
                text = text_at(row, self._places[i])
                matrix[row, i] = attempt(self._rules[i], self._features[i], row, text, np.nan, faults)
            self._sort(faults)
        if self._model_order is not None:
            matrix = matrix[:, self._model_order]
        return Read(matrix, faults)

    def _with_texts(self, read: Read, rows: Rows, places: Sequence[int] | None = None) -> Read:
        """`places` of texts in these rows, if not the header's."""
        features = [feature for _, feature in self._prose]
        at = [place for place, _ in self._prose] if places is None else places
        faults = list(read.faults)
        texts = read_texts(rows, list(zip(at, features, strict=True)), faults)
        if len(faults) > len(read.faults):
            self._sort(faults)
        return Read(with_places(read.matrix, len(features)), faults, texts)

    def _sort(self, faults: list[Fault]) -> None:
        faults.sort(key=lambda fault: (fault.row, self._order[fault.column]))


def with_places(matrix: NDArray[np.float32], texts: int) -> NDArray[np.float32]:
    """Behind a matrix [n, k] the place of each row, as many times as there are textual features."""
    places = np.arange(len(matrix), dtype=np.float32)[:, np.newaxis]
    return np.hstack([matrix, np.repeat(places, texts, axis=1)])


def _code(vocabulary: Mapping[str, float], feature: Feature, text: str) -> float:
    """A category's code.

    Raises:
        RefusedError: as `values.category`.
    """
    return vocabulary.get(values.category(feature, text), values.UNSEEN)


def _model_order(features: Sequence[Feature], read: Sequence[Feature]) -> list[int]:
    """Where each of the model's columns is among those read: it takes numbers and datetimes as they come."""
    model = [f for f in features if f.type in NUMERIC] + [f for f in features if f.type == "category"]
    return [read.index(feature) for feature in model]
