"""An upload of any format comes back in that format: delimiter, encoding, compression, own text."""

from __future__ import annotations

import codecs
import gzip
import json
import random
import tracemalloc
from functools import partial
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.reasons import FileReason, Unscorable
from contract.serving import MAX_REQUEST_BYTES, is_result_column
from tabular.formats import compression, jsonlines
from tabular.formats.delimited import delimiter_of
from tests.fixtures.fakes import SignModel
from tests.fixtures.files import delimited, fields, json_lines, plain, score, score_into

ADDED = ["prediction", "probability", "rejected", "model_version"]
POSITIVE = ["positive", "1.0", "", "sign/1"]
gzipped = partial(gzip.compress, mtime=0)
"""The same bytes at any time: they are in the tests' names, which processes side by side must agree on."""


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_csv_comes_back_in_its_own_dialect(delimiter: str, codec: str, end: str, compressed: bool) -> None:
    rows = [["id", "x", "note"], ["7", "2", f'é{delimiter} "quoted"\nand on'], ["8", "1", ""]]
    upload = delimited(rows, delimiter, codec, end)
    result, body = score("a.csv", gzipped(upload) if compressed else upload)
    assert result.extension == ("csv.gz" if compressed else "csv")
    body = plain(result, body)
    assert fields(body, delimiter, codec) == [[*rows[0], *ADDED], *([*row, *POSITIVE] for row in rows[1:])]
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE):
        assert body.startswith(mark) == upload.startswith(mark)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|", "^", ":"])
@pytest.mark.parametrize("announcement", ["sep={}", "SEP={}", '"sep={}"'])
@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_the_line_in_which_excel_names_the_delimiter_comes_back(
    delimiter: str, announcement: str, codec: str
) -> None:
    first = announcement.format(delimiter) + "\r\n"
    table = delimited([["id", "x"], ["a,b;c", "1"], ["", "2"]], delimiter, end="\r\n").decode()
    result, body = score("a.csv", (first + table).encode(codec))
    assert (result.scored, result.rejected) == (2, 0)
    line, _, rest = body.decode(codec).partition("\n")
    assert line == first.rstrip("\r\n")
    assert fields(rest.encode(), delimiter) == [
        ["id", "x", *ADDED],
        ["a,b;c", "1", *POSITIVE],
        ["", "2", *POSITIVE],
    ]


def test_utf_16_of_either_order_comes_back_in_that_order() -> None:
    upload = codecs.BOM_UTF16_BE + "x\n1\n".encode("utf-16-be")
    _, body = score("a.csv", upload)
    assert body.startswith(codecs.BOM_UTF16_BE)
    assert body.decode("utf-16").startswith("x,prediction,")


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("x", ","),
        ("x;y,z", ";"),
        ("a, b;x", ";"),
        ("x,a;b;c;d", ","),
        ('"a;b;c",x', ","),
        ("a\tb|c", "\t"),
        ("u;v;w", ";"),
        ("u", ","),
        ('\n\n"x";y\n1,2,3,4;5', ";"),
        (" x | y", "|"),
        ("x\t", "\t"),
    ],
)
def test_the_delimiter_is_the_one_with_which_the_header_names_features(header: str, delimiter: str) -> None:
    assert delimiter_of(header, {"x", "y"}) == delimiter


@pytest.mark.parametrize(
    ("key", "body", "extension"),
    [
        ("a", b"x\n1\n", "csv"),
        ("a.TSV", b"x\ty\n1\t2\n", "csv"),
        ("a.txt", b"x\n1\n", "csv"),
        ("a", b' \n {"x": 1}', "jsonl"),
        ("a.txt", codecs.BOM_UTF16_LE + '{"x": 1}'.encode("utf-16-le"), "jsonl"),
        ("a.ndjson", b'{"x": 1}', "jsonl"),
        ("a.json", b'{"x": 1}', "jsonl"),
        ("a.JSONL.GZ", gzipped(b'{"x": 1}'), "jsonl.gz"),
        ("a.csv", gzipped(b"x\n1\n"), "csv.gz"),
        ("a.gz", gzipped(b"x\n1\n"), "csv.gz"),
        ("a", gzipped(b'{"x": 1}') + gzipped(b'\n{"x": 1}'), "jsonl.gz"),
    ],
)
def test_a_format_is_told_by_the_key_and_the_content(key: str, body: bytes, extension: str) -> None:
    result, _ = score(key, body)
    assert (result.extension, result.rejected) == (extension, 0)


def test_a_json_object_comes_back_as_it_was_written_with_the_results_members() -> None:
    upload = b'{"x":1.50, "id":123456789012345678901234567890 ,"n":1e999,"t":{"k":[NaN]} }\r\n\n  {"x": "no"}'
    _, body = score("a.jsonl", upload)
    rejected = "x: 'no' is not a number [not_a_number]"
    assert body.decode() == (
        '{"x":1.50, "id":123456789012345678901234567890 ,"n":1e999,"t":{"k":[NaN]}, '
        '"prediction": "positive", "probability": 1.0, "rejected": null, "model_version": "sign/1"}\n'
        f'{{"x": "no", "prediction": null, "probability": null, "rejected": "{rejected}", '
        '"model_version": "sign/1"}\n'
    )


def test_predicted_numbers_are_numbers_in_json() -> None:
    _, body = score("a.jsonl", b'{"x": 2.5}\n', model=SignModel(problem="regression"))
    assert json.loads(body)["prediction"] == 2.5


def test_a_key_that_only_some_objects_have_is_a_missing_value_wherever_they_are() -> None:
    objects: list[dict[str, Any]] = [{}] * 2500 + [{"x": 1}] + [{"y": "\ud800"}] * 1500
    result, body = score("a.jsonl", json_lines(*objects))
    assert (result.scored, result.rejected) == (1, 4000)
    own = [{n: v for n, v in json.loads(line).items() if n not in ADDED} for line in body.splitlines()]
    assert own == objects


def test_a_key_that_no_object_has_is_a_missing_column() -> None:
    with pytest.raises(Unscorable) as caught:
        score("a.jsonl", json_lines(*[{"y": 1}] * 3000))
    assert (caught.value.code, caught.value.column, caught.value.line) == ("missing_column", "x", None)


GZIPPED = gzipped(b"x\n" + b"".join(b"%d\n" % n for n in range(1000)))
DEEP = b'{"x": 1, "y": ' + b"[" * 64 + b"]" * 64 + b"}"


@pytest.mark.parametrize(
    ("key", "body", "code", "where"),
    [
        ("a.csv.gz", GZIPPED[:-9], FileReason.NOT_GZIP, {"byte": len(GZIPPED) - 9}),
        ("a.csv.gz", GZIPPED[:5], FileReason.NOT_GZIP, {"byte": 5}),
        ("a.csv.gz", b"\x1f\x8b", FileReason.NOT_GZIP, {"byte": 2}),
        ("a.csv.gz", GZIPPED[:-8] + b"\0" * 8, FileReason.NOT_GZIP, {}),
        ("a.csv.gz", GZIPPED[:40] + b"\xff" * 9 + GZIPPED[49:], FileReason.NOT_GZIP, {}),
        ("a.csv.gz", GZIPPED + b"more", FileReason.NOT_GZIP, {}),
        ("a.csv.gz", b"x\n1\n", FileReason.NOT_GZIP, {"byte": 0}),
        ("a.csv.gz", b"", FileReason.EMPTY_FILE, {}),
        ("a.csv.gz", gzipped(b""), FileReason.EMPTY_FILE, {}),
        ("a.csv.gz", gzipped(GZIPPED), FileReason.UNSUPPORTED_FORMAT, {"byte": 0}),
        ("a.csv.gz", gzipped(b"x,z\n" + (b"1," + b"z" * 99_997 + b"\n") * 300), FileReason.DECOMPRESSION_BOMB, {}),
        ("a.csv", b"PK\x03\x04...", FileReason.UNSUPPORTED_FORMAT, {"byte": 0}),
        ("a.csv", b"x;y\n1;\xff", FileReason.UNDECODABLE, {"byte": 6}),
        ("a.csv.gz", gzipped(b"x;y\n1;\xff"), FileReason.UNDECODABLE, {"byte": 6}),
        ("a.csv", b'x;y\n1;"2\n', FileReason.NOT_CSV, {"line": 2}),
        ("a.csv", b"x;x\n1;2\n", FileReason.DUPLICATE_COLUMN, {"column": "x", "line": 1}),
        ("a.csv", b"x\ty\n", FileReason.HEADER_ONLY, {"line": 1}),
        ("a.csv", b"sep=;\r\n", FileReason.EMPTY_FILE, {}),
        ("a.csv", b"sep=;\r\nx;y\r\n", FileReason.HEADER_ONLY, {"line": 2}),
        ("a.csv", b"sep=;\rx;x\r1;2", FileReason.DUPLICATE_COLUMN, {"column": "x", "line": 2}),
        ("a.csv", b"sep=;\ny;z\n1;2\n", FileReason.MISSING_COLUMN, {"column": "x", "line": 2}),
        ("a.csv", b"\n\ny\n1\n", FileReason.MISSING_COLUMN, {"column": "x", "line": 3}),
        ("a.csv", b"sep=\n1\n", FileReason.MISSING_COLUMN, {"column": "x", "line": 1}),
        ("a.jsonl", b"", FileReason.EMPTY_FILE, {}),
        ("a.jsonl", b"\r\n \n", FileReason.EMPTY_FILE, {}),
        ("a.jsonl", b'{"x": 1}\n{"x": 1', FileReason.NOT_JSON, {"line": 2}),
        ("a.jsonl", b'{"x": nan}', FileReason.NOT_JSON, {"line": 1}),
        ("a.jsonl", b'{"x": 1} {"x": 2}', FileReason.NOT_JSON, {"line": 1}),
        ("a.jsonl", b'{"x": 1}\n\n[1]', FileReason.NOT_AN_OBJECT, {"line": 3}),
        ("a.jsonl", b"1" * 10_000, FileReason.NOT_AN_OBJECT, {"line": 1}),
        ("a.jsonl", b'{"x": 1}\n{"rejected": 1}', FileReason.RESERVED_COLUMN, {"column": "rejected", "line": 2}),
        ("a.jsonl", b'{"x": 1}\n' + DEEP, FileReason.TOO_DEEP, {"line": 2}),
        ("a.jsonl", b'{"x": ' + b"[" * 1_000_000, FileReason.TOO_DEEP, {"line": 1}),
        ("a.jsonl", b'{"x": "\xff"}', FileReason.UNDECODABLE, {"byte": 7}),
        ("a.jsonl", json_lines(*({f"key {n}": 1} for n in range(30_000))), FileReason.TOO_MANY_COLUMNS, {"line": 24842}),
        ("a.jsonl", b'{"x": "' + b"1" * MAX_REQUEST_BYTES + b'"}', FileReason.ROW_TOO_LARGE, {"line": 1}),
        ("a.jsonl", b'\n{"x": "' + b"1" * (MAX_REQUEST_BYTES - 12) + b'"}', FileReason.ROW_TOO_LARGE, {"line": 2}),
        ("a.parquet", b"", FileReason.EMPTY_FILE, {}),
        ("a.parquet", b"PAR1" + b"\0" * MAX_REQUEST_BYTES, FileReason.TOO_LARGE, {}),
        ("a.csv", b"x" * 50_000_001, FileReason.TOO_LARGE, {}),
        ("a.zip", b"x\n1\n", FileReason.UNSUPPORTED_FORMAT, {}),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_says_why_and_where(
    key: str, body: bytes, code: FileReason, where: dict[str, Any]
) -> None:
    with pytest.raises(Unscorable) as caught:
        score(key, body)
    why = caught.value
    assert why.code == code, why
    assert {"column": why.column, "line": why.line, "byte": why.byte} == {
        "column": None,
        "line": None,
        "byte": None,
        **where,
    }


def test_brackets_inside_strings_are_not_deep() -> None:
    result, _ = score("a.jsonl", b'{"x": 1, "y": "' + b"[{" * 100 + b'\\" ["}')
    assert result.scored == 1
    assert jsonlines.MAX_DEPTH == 64
    result, _ = score("a.jsonl", DEEP.replace(b"[" * 64 + b"]" * 64, b"[" * 63 + b"]" * 63))
    assert result.scored == 1


def test_what_decompresses_to_more_than_an_upload_may_have_is_too_large() -> None:
    body = gzipped(b"x\n" + b"".join(b"%d\n" % n for n in range(100_000)))
    with pytest.raises(Unscorable) as caught:
        score("a.csv", body, max_bytes=300_000)
    assert (caught.value.code, "300,000 bytes when decompressed" in caught.value.message) == (
        "too_large",
        True,
    )


def test_a_short_table_may_compress_as_well_as_it_likes() -> None:
    result, _ = score("a.csv.gz", gzipped(b"x\n" + b"1\n" * 20_000))
    assert result.scored == 20_000


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    source = BytesIO(gzipped(b"\n" * 300_000_000, 1))
    blocks = iter(partial(compression.Decompressed(source, max_bytes=10**9).read, 65536), b"")
    taken: list[int] = []
    with pytest.raises(Unscorable) as caught:
        taken.extend(map(len, blocks))
    assert caught.value.code == FileReason.DECOMPRESSION_BOMB
    assert sum(taken) < 3 * compression.UNSUSPICIOUS_BYTES


def test_equal_uploads_have_equal_results_to_the_byte() -> None:
    upload = gzipped(b"x\n1\n2\n")
    assert score("a.csv.gz", upload) == score("a.csv.gz", upload)
    _, body = score("a.csv.gz", upload)
    assert body[4:8] == bytes(4), "gzip's time of writing"


text = st.text(st.characters(codec="utf-8"), max_size=6)
dead_letters = st.text(st.characters(codec="utf-8", exclude_characters=",;\t|\0"), max_size=6)
names = dead_letters.filter(lambda name: name.strip() != "x" and not is_result_column(name))
cells = st.one_of(st.sampled_from(["1", "-2", "0", "", "nan?"]), text)


@st.composite
def any_table(draw: st.DrawFn) -> list[list[str]]:
    # Two columns at least: one alone does not tell its delimiter.
    header = draw(st.permutations(["x", *draw(st.lists(names, min_size=1, max_size=3, unique=True))]))
    rows = st.lists(st.lists(cells, min_size=len(header), max_size=len(header)), min_size=1, max_size=12)
    return [header, *draw(rows)]


@settings(max_examples=100)
@given(
    any_table(), st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.booleans()
)
def test_rows_of_any_csv_come_back_unchanged(
    rows: list[list[str]], delimiter: str, codec: str, compressed: bool
) -> None:
    upload = delimited(rows, delimiter, codec, "\r\n")  # with which the writer quotes a lone "\r"
    result, body = score("a.csv", gzipped(upload) if compressed else upload)
    table = fields(plain(result, body), delimiter, codec)
    assert [row[: len(rows[0])] for row in table] == rows
    assert result.scored + result.rejected == len(rows) - 1


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.text(max_size=4).filter(lambda n: not is_result_column(n)), values, max_size=4)


@settings(max_examples=100)
@given(
    st.lists(objects, min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_json_objects_come_back_unchanged(
    rows: list[dict[str, Any]], ascii_only: bool, codec: str
) -> None:
    rows = [{"x": 1}, *rows]
    upload = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows)
    result, body = score("a.jsonl", upload.encode(codec))
    said = [json.loads(line) for line in body.decode(codec).split("\n") if line]
    assert repr([{n: v for n, v in row.items() if n not in ADDED} for row in said]) == repr(rows)
    assert result.scored + result.rejected == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv.gz", "jsonl"])
def test_memory_is_that_of_a_few_requests_in_every_format(form: str) -> None:
    noise = random.Random(0).randbytes(50_000).hex()
    csv, objects = "x,z\n" + f"1,{noise}\n" * 450, f'{{"x": 1, "z": "{noise}"}}\n' * 450
    upload = gzipped(csv.encode(), 1) if form == "csv.gz" else objects.encode()
    tracemalloc.start()
    try:
        with TemporaryFile() as file:
            result = score_into(file, f"a.{form}", upload, model=SignModel(remembers=False))
        assert result.scored == 450
        assert tracemalloc.get_traced_memory()[1] < 30_000_000 < len(csv)
    finally:
        tracemalloc.stop()
