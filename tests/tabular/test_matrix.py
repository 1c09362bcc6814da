"""However rows are read, what is read of them is what the rules say of each value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.reasons import FileReason, RowReason, Unscorable
from contract.schema import Feature
from tabular import values
from tabular.cells import STEP, split
from tabular.columns import REMEMBERED_TEXTS
from tabular.matrix import MatrixReader
from tests.fixtures.tables import MIXED_FEATURES

FEATURES = (
    *MIXED_FEATURES,
    Feature(name="rate", type="number", required=True, minimum=-1, maximum=1.00000001),
    Feature(name="closed", type="datetime", required=True),
)
VOCABULARIES = (
    {"red": 0.0, "": 1.0, "blue": 2.0},
    {"S": 0.0, "M": 1.0},
    {"": 0.0, "free": 1.0, "paid": 2.0},
)
WIDTH = len(FEATURES)
NUMERIC = [feature for feature in FEATURES if feature.type != "category"]
CATEGORICAL = [feature for feature in FEATURES if feature.type == "category"]

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.floats().map(repr),
    st.floats(width=32).map("{:.3f}".format),
    st.integers().map(str),
    st.dates().map(str),
    st.sampled_from(["", " ", "?", "9999", "9999.0", "n/a", "never", "red", "S", " M", "free", "x"]),
    st.sampled_from(["1_0", "nan", "inf", "1e39", "1e400", "-0", "1.00000002", "1.0000000100000001", "+1"]),
    st.sampled_from(["0x10", "1d", "1f", ".5", "5.", "1e5", "1E-5", "007", "1 ", "1\x00", "１", "infinity"]),
)
GOOD = ("100", "red", "2024-05-01", "S", "0.5", "free", "0.5", "2024-05-01")


def expected(rows: Sequence[Sequence[str]]) -> tuple[list[list[float]], list[Any]]:
    """What each value is by its rule, and the faults; a refused value is missing."""
    matrix: list[list[float]] = []
    faults: list[Any] = []
    for i, row in enumerate(rows):
        found = {}
        for feature, text in zip(FEATURES, row, strict=True):
            try:
                found[feature.name] = _value(feature, text)
            except values.RefusedError as refused:
                found[feature.name] = math.nan
                faults.append((i, feature.name, refused.code, str(refused), text))
        matrix.append([found[feature.name] for feature in (*NUMERIC, *CATEGORICAL)])
    return matrix, faults


def _value(feature: Feature, text: str) -> float:
    if feature.type == "category":
        vocabulary = VOCABULARIES[CATEGORICAL.index(feature)]
        return vocabulary.get(values.category(feature, text), values.UNSEEN)
    return values.hours(feature, text) if feature.type == "datetime" else values.number(feature, text)


def reader() -> MatrixReader:
    return MatrixReader(FEATURES, [feature.name for feature in FEATURES], VOCABULARIES)


@given(st.lists(st.tuples(*[texts] * WIDTH), max_size=6))
@example([GOOD] * 3)
@example([GOOD, ("", "", "", "S", "", "", "1", "2024-05-01"), ("9999", *GOOD[1:])])
@example([("9999", *GOOD[1:]), ("0", "red", "x", "XL", "1_0", "fre", "1.00000002", "")])
@example([(*GOOD[:4], "9999", *GOOD[5:])])
def test_rows_and_cells_are_read_as_their_values_are(rows: list[tuple[str, ...]]) -> None:
    matrix, faults = expected(rows)
    of_model = np.array(matrix, np.float32).reshape(len(rows), WIDTH)
    cells = pa.array([text for row in rows for text in row], pa.string())
    once = reader()
    spaced = pa.array([text for row in rows for cell in row for text in (cell, ",")], pa.string())
    for read in (
        *(once.read(rows), once.read_cells(cells), once.read(rows), reader().read_cells(cells)),
        *(once.read_cells(spaced, STEP), reader().read_cells(spaced, STEP)),
    ):
        np.testing.assert_array_equal(read.matrix, of_model)
        assert [tuple(refusal) for refusal in read.refusals] == faults


@given(st.lists(st.text(alphabet="ab ä,,\n", max_size=12), max_size=8).map("\n".join))
@example("\n\na,b\n")
@example("a,b\nc\nd,e,f\n\ng,h")
@example(",\n,\n")
def test_cells_are_those_of_the_lines(text: str) -> None:
    rows = [line.split(",") for line in text.split("\n") if line]
    found = split(text.encode(), 2)
    assert found.rows == len(rows)
    assert found.texts.to_pylist()[::STEP] == [cell for row in rows if len(row) == 2 for cell in row]
    assert found.ragged == {i: len(row) for i, row in enumerate(rows) if len(row) != 2}


def test_a_model_of_one_kind_of_feature_is_read_too() -> None:
    number, category = Feature(name="n", type="number"), Feature(name="c", type="category")
    assert MatrixReader([number], ["x", "n"], []).read_cells(pa.array(["a", "1"])).matrix.tolist() == [[1.0]]
    found = MatrixReader([category], ["c", "x"], [{"a": 0.0}]).read_cells(pa.array(["a", "1", "b", "1"]))
    assert found.matrix.tolist() == [[0.0], [values.UNSEEN]]


def test_a_number_out_of_range_among_plain_ones_is_refused() -> None:
    number = Feature(name="n", type="number", minimum=0)
    found = MatrixReader([number], ["n"], []).read_cells(pa.array(["1", "-1", "2"]))
    assert [refusal.code for refusal in found.refusals] == [RowReason.BELOW_MINIMUM]
    np.testing.assert_array_equal(found.matrix, [[1], [np.nan], [2]])


def test_many_different_texts_are_not_remembered_for_ever() -> None:
    category = Feature(name="c", type="category")
    once = MatrixReader([category], ["c"], [{}])
    once.read([[str(i)] for i in range(2 * REMEMBERED_TEXTS)])
    once.read([["x" * 1000 + str(i)] for i in range(10)])
    (known,) = once._groups[0]._parts[0]._known  # type: ignore[union-attr]
    assert len(known) == REMEMBERED_TEXTS
    assert max(map(len, known)) < 10


def test_a_header_without_a_column_is_refused() -> None:
    with pytest.raises(Unscorable) as refused:
        MatrixReader(FEATURES, [feature.name for feature in FEATURES[1:]], VOCABULARIES)
    assert (refused.value.code, refused.value.column) == (FileReason.MISSING_COLUMN, "amount")
