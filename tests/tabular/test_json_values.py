"""Objects in JSON are read alike by the fast parser and by Python's, and as their texts are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.reasons import RowReason, Unscorable
from contract.schema import Feature
from contract.serving import JSON, JSON_LINES
from tabular.columns import written
from tabular.json_values import ORDER_MATTERS_BYTES, JsonDecoder, exact_table
from tabular.matrix import MatrixReader
from tabular.rows import MANY_ROWS

FEATURES = (
    Feature(name="count", type="number", minimum=0, maximum=1e20, missing=("-1", "n/a")),
    Feature(name="colour", type="category", missing=("?",)),
    Feature(name="rate", type="number", required=True),
    Feature(name="opened", type="datetime"),
    Feature(name="größe", type="category", values=("1", "2", "true", "S")),
    Feature(name="note", type="text"),
)
NAMES = [feature.name for feature in FEATURES]
NUMBERS = ("count", "rate")
VOCABULARIES = ({"red": 0.0, "5": 1.0, "": 2.0, "true": 3.0}, {"": 0.0, "1": 1.0, "2": 2.0, "true": 3.0})

numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
    st.sampled_from(
        ["5", "5.0", "5e0", "-0", "-0.0", "1e400", "1e-400", "0.1e1", "1E+3", "9007199254740993"]
    ),
    st.sampled_from(
        ["1" * 25, "1" * 400, "1" * 5000, "-1", "-1.0", "3.4028235677973366e38", "01", "+1", "1."]
    ),
    st.from_regex(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
strings = st.one_of(
    st.text(max_size=6).map(json.dumps),
    st.text(max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(
        ['"1.5"', '"red"', '"2024-05-01"', '"n/a"', '" S"', '""', '"true"', '"\\ud800"', '"1_0"']
    ),
)
others = st.sampled_from(
    ["null", "true", "false", "NaN", "-Infinity", "[1]", '{"a": 1}', "[[[]]]", "nul", '"', "", "[" * 2000]
)
tokens = st.one_of(numbers, strings, st.just("null"), others)
good = {
    "count": st.sampled_from(["5", "0.25", "null", "-1"]),
    "colour": st.sampled_from(['"red"', '"x"', "5", "null"]),
    "rate": st.sampled_from(["1", "-2.5"]),
    "opened": st.sampled_from(['"2024-05-01"', "null", '""']),
    "größe": st.sampled_from(['"1"', "2", "true", "null"]),
    "note": st.sampled_from(['"Hello, world"', '""', '"ÄB cd"']),
}
keys = {name: st.sampled_from([json.dumps(name), json.dumps(name, ensure_ascii=False)]) for name in NAMES}


@st.composite
def objects(draw: st.DrawFn) -> str:
    names = draw(st.permutations(NAMES)) if draw(st.booleans()) else NAMES
    members = []
    for name in names[: draw(st.integers(0, 20))]:
        value = draw(good[name] if draw(st.integers(0, 9)) else tokens)
        members.append(f"{draw(keys[name])}: {value}")
    if not draw(st.integers(0, 3)):
        members.append(draw(st.sampled_from(['"other": [1, {"a": "b"}]', '"count": 3', '"x": "\\u0041}{"'])))
    return "{" + ", ".join(members) + draw(st.sampled_from(["}", "}", "}", "}", " }", "}\r", "", "} {}"]))


def read(table: Any) -> tuple[list[Any], list[Any]]:
    reader = MatrixReader(FEATURES, table.header, VOCABULARIES)
    rows = reader.read_values(table.columns, table.nested)
    return [*rows.matrix.tolist(), *rows.texts.tolist()], [tuple(refusal) for refusal in rows.refusals]


def outcome(function: Any) -> Any:
    try:
        return read(function())
    except Unscorable as why:
        return (why.code, why.message, why.line, why.column)


def alike(content_type: str, body: bytes) -> None:
    fast = outcome(lambda: JsonDecoder(FEATURES).decode(content_type, body))
    exact = outcome(lambda: exact_table(content_type, body, NAMES, NUMBERS))
    np.testing.assert_equal(fast, exact)


@given(st.lists(objects(), max_size=3), st.sampled_from(["", " ", "\n", "\ufeff"]))
@example(['{"count": 1, "count": 2, "rate": 1}'], "")
@example([f'{{"count": {"1" * 5000}, "rate": 1'], "")
def test_both_parsers_give_the_same(rows: list[str], before: str) -> None:
    alike(JSON_LINES, (before + "\n".join(rows)).encode("utf-8", "surrogatepass"))
    alike(JSON, (before + "[" + ",".join(rows) + "]").encode("utf-8", "surrogatepass"))
    alike(JSON, (before + "".join(rows[:1])).encode("utf-8", "surrogatepass"))


@given(objects(), st.integers(0, 10_000))
def test_many_rows_are_read_as_few_are(row: str, where: int) -> None:
    good_row = (
        '{"rate": 1.5, "größe": "1", "colour": "red", "count": 5, "opened": "2024-05-01", "note": "a bc"}'
    )
    rows = [good_row] * (2 * MANY_ROWS)
    rows[where % len(rows)] = row
    alike(JSON, ("[" + ",".join(rows) + "]").encode("utf-8", "surrogatepass"))
    try:
        table = exact_table(
            JSON, ("[" + ",".join(rows) + "]").encode("utf-8", "surrogatepass"), NAMES, NUMBERS
        )
    except Unscorable:
        return
    few = MatrixReader(FEATURES, NAMES, VOCABULARIES)
    many = few.read_values(table.columns, table.nested)
    by_row = few._read_by_row([*zip(*table.columns, strict=True)], table.nested)
    texts = few.read([[*map(written, row)] for row in zip(*table.columns, strict=True)], table.nested)
    for other in (by_row, texts):
        np.testing.assert_array_equal(many.matrix, other.matrix)
        assert many.refusals == other.refusals
        assert many.texts.tolist() == other.texts.tolist()


@pytest.mark.parametrize(
    "broken", [b'{"count": 1, "x": "\xff"}', b'{"count": "\xff"}', b"[]", b"", b" \n", b"3"]
)
def test_bodies_that_are_no_objects_are_refused_alike(broken: bytes) -> None:
    alike(JSON, broken)
    alike(JSON_LINES, broken)


def decoded(features: Sequence[Feature], rows: Sequence[dict[str, Any]]) -> Any:
    return JsonDecoder(features).decode(JSON, json.dumps(rows).encode())


def test_keys_may_come_in_any_order() -> None:
    features = [Feature(name=f"n{i}", type="number") for i in range(40)]
    rows: list[dict[str, Any]] = [{f"n{i}": i + 0.5 for i in range(39)} for _ in range(40)]
    rows[7]["n39"] = 39.5  # and the first object need not have them all
    for order in (rows, [dict(reversed(row.items())) for row in rows]):
        assert len(json.dumps(order)) > ORDER_MATTERS_BYTES
        table = decoded(features, order)
        columns = dict(zip(table.header, table.columns, strict=True))
        assert [columns[f"n{i}"][7] for i in range(40)] == [i + 0.5 for i in range(40)]
        assert columns["n39"][8] is None


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "", "ä", "x" * 1000])
def test_a_column_may_have_any_name(name: str) -> None:
    table = decoded([Feature(name=name, type="number")], [{name: 1}, {name: 2.5}])
    assert (table.header, [*table.columns[0]]) == ((name,), [1.0, 2.5])


def test_a_number_is_the_category_of_its_shortest_text() -> None:
    rows: list[dict[str, Any]] = [
        {"c": 5},
        {"c": 5.0},
        {"c": 5e0},
        {"c": 5.50},
        {"c": 10**30},
        {"c": True},
        {"c": "5.50"},
    ]
    table = decoded([Feature(name="c", type="category")], rows)
    assert [*map(written, table.columns[0])] == ["5", "5", "5", "5.5", "1" + "0" * 30, "true", "5.50"]


def test_a_number_equal_to_a_marker_is_missing_however_it_is_written() -> None:
    feature = Feature(name="n", type="number", minimum=0, missing=("-999",))
    table = decoded([feature], [{"n": -999}, {"n": -999.0}, {"n": "-999.00"}, {"n": -998}])
    found = MatrixReader([feature], table.header, []).read_values(table.columns)
    assert np.isnan(found.matrix[:, 0]).all()
    assert [(refusal.row, refusal.code, refusal.text) for refusal in found.refusals] == [
        (3, RowReason.BELOW_MINIMUM, "-998")
    ]
