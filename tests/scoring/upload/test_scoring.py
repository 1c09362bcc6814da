"""What comes back for an upload: every row, in order, with a prediction or a reason."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from io import BytesIO
from tempfile import TemporaryFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ports import StoredObject
from adapters.retry import RetryPolicy
from contract import serving
from contract.reasons import REMEDIES, FileReason
from contract.serving import MAX_REQUEST_BYTES, is_result_column
from scoring.upload.formats.delimited import read_table
from scoring.upload.formats.table import Table, chunks
from scoring.upload.score import MEMORY_BYTES, score_file
from tabular.formats.streams import Peekable
from tests.fixtures.fakes import MODIFIED, SignModel
from tests.fixtures.uploads import KEY, World, to_csv

text = st.text(st.characters(codec="utf-8"), max_size=6)
names = text.filter(lambda name: name.strip() != "x" and "\0" not in name and not is_result_column(name))
"""Text that begins with a null character is taken for UTF-16."""


@st.composite
def any_table(draw: st.DrawFn) -> list[list[str]]:
    header = draw(st.permutations(["x", *draw(st.lists(names, max_size=3, unique=True))]))
    cell = st.one_of(st.sampled_from(["1", "-2", "0", "", "nan?"]), text)
    rows = st.lists(st.lists(cell, min_size=len(header), max_size=len(header)), min_size=1, max_size=12)
    return [header, *draw(rows)]


@settings(max_examples=60)
@given(any_table(), st.sampled_from(["binary", "multiclass", "regression"]), st.sampled_from([1, 1, 1, 300]))
def test_rows_out_are_rows_in_with_their_own_columns_unchanged(
    rows: list[list[str]], problem: str, repeats: int
) -> None:
    world = World(model=SignModel(problem=problem))
    header, *body = rows[:1] + rows[1:] * repeats
    assert world.score(to_csv([header, *body])) == []
    result = list(csv.reader(io.StringIO(world.outcomes().popitem()[1].decode(), newline=""), strict=True))
    assert [row[: len(header)] for row in result] == [header, *body]
    for row in (dict(zip(result[0], fields, strict=True)) for fields in result[1:]):
        assert bool(row["prediction"]) != bool(row["rejected"])
        assert row["model_version"] == "sign/1"


def test_a_binary_result_has_one_probability() -> None:
    world = World()
    world.score(b"id,x\n7,2\n8,-1.5\n")
    assert world.outcomes()["scored/week 1/a+b.csv/v0.csv"].decode().splitlines() == [
        "id,x,prediction,probability,rejected,model_version",
        "7,2,positive,1.0,,sign/1",
        "8,-1.5,negative,0.0,,sign/1",
    ]


@pytest.mark.parametrize("names_columns", [True, False])
def test_a_multiclass_result_has_a_probability_of_each_class_also_above_its_first_scored_row(
    *, names_columns: bool
) -> None:
    world = World(model=SignModel(problem="multiclass", names_columns=names_columns))
    world.score(b'x\n"bad,\nworse"\n' + b"none\n" * 2500 + b"2\n")
    rows = world.table()
    assert len(rows) == 2502
    assert rows[0]["x"] == "bad,\nworse"
    assert list(rows[0])[1:] == [
        "prediction",
        "probability_negative",
        "probability_positive",
        "rejected",
        "model_version",
    ]
    assert {row["probability_positive"] for row in rows[:-1]} == {""}
    assert rows[-1]["probability_positive"] == "1.0"


def test_a_regression_result_has_the_prediction_only() -> None:
    world = World(model=SignModel(problem="regression"))
    world.score(b"x\n2.50\n")
    assert world.table() == [{"x": "2.50", "prediction": "2.5", "rejected": "", "model_version": "sign/1"}]


def test_a_file_of_bad_rows_is_scored_and_all_rejected() -> None:
    world = World()
    assert world.score(b"x\nbad\n\nworse\n") == []
    assert [row["rejected"] for row in world.table()] == [
        "x: 'bad' is not a number [not_a_number]",
        "x: 'worse' is not a number [not_a_number]",
    ]


@pytest.mark.parametrize("upload", [b"x\n1\nbad\n", b"x\nbad\nworse\n", b"x,y\n1\n", b"x\n1\n"])
@pytest.mark.parametrize("problem", ["binary", "multiclass", "regression"])
def test_a_result_has_the_same_columns_whatever_becomes_of_its_rows(problem: str, upload: bytes) -> None:
    model = SignModel(problem=problem)
    world = World(model=model)
    assert world.score(upload) == []
    own = upload.partition(b"\n")[0].decode().split(",")
    probabilities = serving.probability_columns(problem, model.classes)
    expected = [*own, "prediction", *probabilities, "rejected", "model_version"]
    assert {tuple(row) for row in world.table()} == {tuple(expected)}


def test_a_server_that_names_no_columns_of_rejected_rows_leaves_a_prediction() -> None:
    world = World(model=SignModel(names_columns=False))
    assert world.score(b"x\nbad\n") == []
    assert list(world.table()[0]) == ["x", "prediction", "rejected", "model_version"]


def test_a_row_of_the_wrong_width_is_rejected_and_keeps_what_it_has() -> None:
    world = World()
    world.score(b'id,x\n1\n2,2,"three,3",4\n3,3\n')
    rows = world.table()
    assert [(row["id"], row["x"], row["prediction"]) for row in rows] == [
        ("1", "", ""),
        ("2", "2", ""),
        ("3", "3", "positive"),
    ]
    assert rows[0]["rejected"] == "line 2 has 1 of 2 fields [wrong_field_count]"
    assert rows[1]["rejected"] == 'line 3 has 4 of 2 fields; the surplus: "three,3",4 [wrong_field_count]'


def test_a_file_whose_rows_all_have_the_wrong_width_still_needs_the_models_columns() -> None:
    world = World()
    world.score(b"a;b\n1,5;2,5\n")
    assert world.reason()["code"] == "missing_column"


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (b"", "empty_file", {}),
        (b"\n\r\n\n", "empty_file", {}),
        (b"\xef\xbb\xbf", "empty_file", {}),
        (b"id,x\n", "header_only", {"line": 1}),
        (b"id,x", "header_only", {"line": 1}),
        (b"id,y\n1,2\n", "missing_column", {"column": "x", "line": 1}),
        (b"x,id,id\n1,2,3\n", "duplicate_column", {"column": "id", "line": 1}),
        (b"x,,\n1,2,3\n", "duplicate_column", {"column": "", "line": 1}),
        (b"x,rejected\n1,2\n", "reserved_column", {"column": "rejected", "line": 1}),
        (b"x,probability_a\n1,2\n", "reserved_column", {"column": "probability_a", "line": 1}),
        (b"x\n1\n\xff\n", "undecodable", {"byte": 4}),
        (b'x\n1\n"2\n', "not_csv", {"line": 3}),
        (b"x\n" + b"1" * (MAX_REQUEST_BYTES + 1), "row_too_large", {"line": 2}),
        (b"x" * 3_200_000 + b",x\n1," + b"1" * 3_200_000, "row_too_large", {"line": 2}),
    ],
)
def test_what_is_no_table_is_unscorable(body: bytes, code: str, where: dict[str, object]) -> None:
    world = World()
    assert world.score(body) == []
    reason = world.reason()
    assert reason["code"] == code
    assert {name: reason[name] for name in ("column", "line", "byte")} == {
        "column": None,
        "line": None,
        "byte": None,
        **where,
    }
    assert reason["upload"] == {"bucket": "data", "key": KEY, "version_id": "v0"}
    assert reason["remedy"] == REMEDIES[FileReason(code)]


@pytest.mark.parametrize("key", ["score/a.xlsx", "score/a.csv.zip", "score/b.PNG"])
def test_other_formats_are_unscorable(key: str) -> None:
    world = World()
    world.score(b"x\n1\n", key)
    assert world.reason(key)["code"] == "unsupported_format"
    assert world.model.requests == []


@pytest.mark.parametrize("key", ["score/a.CSV", "score/a", "score/no/extension"])
def test_keys_with_the_ending_csv_or_none_are_tried(key: str) -> None:
    world = World()
    world.score(b"x\n1\n", key)
    assert world.table(key)[0]["prediction"] == "positive"


def csv_table(data: bytes) -> Table:
    return read_table(Peekable(BytesIO(data)), features={"x"}, scratch=BytesIO())


def test_requests_stay_within_their_limits() -> None:
    rows = b"".join(b"%d,%s\n" % (n, b"z" * (n % 700)) for n in range(5000))
    requests = list(chunks(csv_table(b"x,z\n" + rows), max_bytes=40_000, max_rows=150))
    assert all(len(request.body) <= 40_000 and len(request.rows) <= 150 for request in requests)
    assert b"".join(request.body.removeprefix(b"x,z\n") for request in requests) == rows


def test_a_row_larger_than_a_request_should_be_is_sent_alone() -> None:
    requests = list(chunks(csv_table(b"x\n1\n" + b"2" * 50 + b"\n3\n"), max_bytes=20))
    assert [len(request.rows) for request in requests] == [1, 1, 1]


@pytest.mark.parametrize(("key", "line"), [(KEY, "%s"), ("score/a.jsonl", '{"x": "%s"}')])
def test_rows_whose_answer_is_too_long_are_asked_about_in_parts(key: str, line: str) -> None:
    """Of a row that is rejected the answer is longer than the row: of many such rows it may be too long."""
    world = World(model=SignModel(max_bytes=10_000))
    values = [str(n) if n % 3 else f"no number {n}" for n in range(500)]
    head = ["x"] if line == "%s" else []
    body = "\n".join([*head, *(line % value for value in values)]).encode()
    assert world.score(body, key) == []
    table = world.table() if head else [json.loads(row) for row in world.outcomes().popitem()[1].splitlines()]
    assert [row["x"] for row in table] == values
    assert [bool(row["rejected"]) for row in table] == [n % 3 == 0 for n in range(500)]
    assert 4 < len(world.model.requests) < 40


def test_a_row_whose_own_answer_is_too_long_fails_its_delivery() -> None:
    world = World(model=SignModel(max_bytes=100))
    assert world.score(b"x\n" + b"n" * 90 + b"\n1\n") == ["m0"]
    assert world.outcomes() == {}
    assert len(world.model.requests) == 2, "both rows, and the first"


def test_a_result_larger_than_memory_allows_is_spooled() -> None:
    world = World()
    row = b"1," + b"z" * 100_000
    assert world.score(b"x,z\n" + b"\n".join([row] * 95)) == []
    assert len(world.outcomes().popitem()[1]) > MEMORY_BYTES
    assert len(world.table()) == 95


@pytest.mark.slow
def test_memory_is_that_of_a_few_requests_whatever_the_upload() -> None:
    upload = b"x,z\n" + (b"1," + b"z" * 500_000 + b"\n") * 160
    assert _peak(upload) < 40_000_000 < len(upload) / 2


def _peak(upload: bytes) -> int:
    """Bytes at most allocated at a time while an upload is scored, its own not counted."""
    stored = StoredObject(stream=BytesIO(upload), size=len(upload), last_modified=MODIFIED)
    model = SignModel(remembers=False)
    retry = RetryPolicy(remaining_seconds=lambda: 60.0, sleep=lambda seconds: None)
    tracemalloc.start()
    try:
        with TemporaryFile() as file:
            score_file(KEY, stored, file, model=model, retry=retry, features={"x"}, max_bytes=len(upload))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
