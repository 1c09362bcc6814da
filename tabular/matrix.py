"""Rows of text as the one matrix that a model without its encoder takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.schema import Feature
from tabular import values
from tabular.columns import ColumnGroup, Matrix
from tabular.rows import NO_TEXTS, Refusal, RowReader, Texts, as_they_come, by_type


class CodedRows(NamedTuple):
    """Rows as float32 [rows, numbers and codes], and what was refused in them, by row.

    A refused value is left missing. Behind the codes the matrix has a column for each textual
    feature, which says where in `texts` str [rows, textual features] the row's text is.
    """

    matrix: NDArray[np.float32]
    refusals: list[Refusal]
    texts: Texts = NO_TEXTS


class MatrixReader(RowReader[CodedRows]):
    """Reads rows as the numbers and codes of one model: as what a model without its encoder takes."""

    def __init__(
        self, features: Sequence[Feature], header: Sequence[str], vocabularies: Sequence[Mapping[str, float]]
    ) -> None:
        """`vocabularies` has the code of each text, by categorical feature.

        Raises:
            Unscorable: a feature's column is missing from the header, or there twice.
        """
        self._features = features
        self._vocabularies = vocabularies
        order = as_they_come(features)
        self._columns = (
            None if order == sorted(order) else [*order, *range(len(order), len(order) + len(vocabularies))]
        )
        super().__init__(features, header)

    def _grouped(self, features: Sequence[Feature]) -> list[ColumnGroup]:
        numbers, datetimes, categories = by_type(features)
        codes = [
            (feature, partial(_code, vocabulary))
            for feature, vocabulary in zip(categories, self._vocabularies, strict=True)
        ]
        return [ColumnGroup(numbers, [*datetimes, *codes], self._places, dtype=np.float32)]

    def _assembled(self, matrices: list[Matrix], texts: Texts, refusals: list[Refusal]) -> CodedRows:
        (matrix,) = matrices
        if self._columns is not None:
            matrix = matrix[:, self._columns]
        if self._prose:
            matrix = with_places(matrix, len(self._prose))
        return CodedRows(matrix, refusals, texts)

    def _under(self, header: Sequence[str]) -> MatrixReader:
        return MatrixReader(self._features, header, self._vocabularies)


def with_places(matrix: NDArray[np.float32], texts: int) -> NDArray[np.float32]:
    """Add behind a matrix [n, k] the place of each row, as many times as there are textual features."""
    places = np.arange(len(matrix), dtype=np.float32)[:, np.newaxis]
    return np.hstack([matrix, np.repeat(places, texts, axis=1)])


def _code(vocabulary: Mapping[str, float], feature: Feature, text: str) -> float:
    """Return a category's code.

    Raises:
        RefusedError: as `values.category`.
    """
    return vocabulary.get(values.category(feature, text), values.UNSEEN)
