"""What can be read as a table, which is what training and scoring read, and what is said of what cannot."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.kit.errors import CliError
from cli.new_model.make import Made, new_model
from tests.cli.tables import Make, feature

MakeFile = Callable[[str, bytes], Made]

ROWS = [("33", "Zürich", "no"), ("64", "Köln", "yes"), ("27", "Köln", "no"), ("19", "Zürich", "yes")] * 5


def lines(delimiter: str, form: str = "{}") -> str:
    rows = [("age", "city", "y"), *ROWS]
    return "".join(delimiter.join(form.format(cell) for cell in row) + "\r\n" for row in rows)


def json_lines() -> bytes:
    return "\n".join(json.dumps({"age": int(a), "city": c, "y": y}) for a, c, y in ROWS).encode()


def parquet() -> bytes:
    age, city, y = zip(*ROWS, strict=True)
    table = pa.table({"age": [*map(int, age)], "city": pa.array(city).dictionary_encode(), "y": y})
    out = pa.BufferOutputStream()
    pq.write_table(table, out)
    return bytes(out.getvalue())


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    def make(name: str, content: bytes) -> Made:
        (tmp_path / name).write_bytes(content)
        return new_model("mine", tmp_path / name, column="y", root=tmp_path)

    return make


FILES = {
    "plain.csv": lines(",").encode(),
    "quoted.csv": lines(",", '"{}"').encode(),
    "quoted-semicolon.csv": lines(";", '"{}"').encode(),
    "quoted-tab.tsv": lines("\t", '"{}"').encode(),
    "bar.txt": lines("|").encode(),
    "announced.csv": b"sep=;\r\n" + lines(";").encode(),
    "announced-other.csv": b"sep=~\r\n" + lines("~").encode(),
    "mark.csv": lines(",").encode("utf-8-sig"),
    "utf-16.csv": lines("\t").encode("utf-16"),
    "utf-16-be.csv": b"\xfe\xff" + lines(";").encode("utf-16-be"),
    "old-mac.csv": lines(",").replace("\r\n", "\r").encode(),
    "blank-lines.csv": lines(",").replace("\r\n", "\r\n\r\n").encode(),
    "blanks.csv": lines(" ; ").encode(),
    "packed.csv.gz": gzip.compress(lines(",").encode(), mtime=0),
    "unnamed": gzip.compress(json_lines(), mtime=0),
    "rows.jsonl": json_lines(),
    "rows.json.gz": gzip.compress(json_lines(), mtime=0),
    "rows.parquet": parquet(),
    "rows.pq.gz": gzip.compress(parquet(), mtime=0),
}


@pytest.mark.parametrize("name", FILES)
def test_whatever_training_and_scoring_read_is_read(make_file: MakeFile, name: str) -> None:
    made = make_file(name, FILES[name])

    assert feature(made, "age") == {"type": "number"}
    assert feature(made, "city") == {"type": "category"}
    assert "missing" not in made.path.read_text()
    assert made.document.rows == len(ROWS)


def test_a_header_that_holds_another_delimiter_is_cut_where_the_target_is(make: Make) -> None:
    made = make('"Age, years, months"\tjob\ty\n' + "33\tclerk\tno\n64\tadmin\tyes\n" * 10)

    assert feature(made, "Age, years, months") == {"type": "number"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no header and no rows. Upload a table with at least one row"),
        ("x,y\n", "a header but no rows under it"),
        ("x,y,y\n1,2,3\n", "two columns called 'y': rename or remove one"),
        ("x,y\n1,2,3\n1,2\n", "line 2 has 3 fields and its header has 2"),
        ("x,y\n1,2\n1,2,3\n", "line 3 has 3 fields and its header has 2"),
        ('x,y\n1,"2\n', "quote that opens on line 2 is never closed"),
        ("y\n1\n2\n", "has no column to predict from: it has only the target"),
        ("x,target\n1,2\n", r"no column 'y': its columns are x, target"),
        ("x,Y\n1,2\n", "did you mean 'Y'"),
        ("Sales 2024,,\n,,\ny,x,z\n1,2,3\n", "no column 'y' in its first line, but in line 3: remove the lines"),
    ],
)  # fmt: skip
def test_what_is_no_table_to_learn_from(make: Make, text: str, message: str) -> None:
    with pytest.raises(CliError, match=message):
        make(text, target="Yy" if "Y" in text else "y")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("table.csv", b"x,\xffy\n1,2\n", "byte 0xff .* is not UTF-8. Save the file in UTF-8"),
        ("table.xlsx", b"PK\x03\x04", "ends in '.xlsx'; a table's ends in .csv"),
        ("table.csv", b"PK\x03\x04", "an Excel workbook"),
        ("table.parquet", parquet()[:-50], "cannot be read as Parquet"),
        ("table.jsonl", b'{"x": 1, "y": "a"}\n[]\n', "Line 2 is no JSON object"),
        ("table.csv.gz", gzip.compress(FILES["plain.csv"], mtime=0)[:-9], "gzip"),
    ],
)
def test_what_is_no_table(make_file: MakeFile, name: str, content: bytes, message: str) -> None:
    with pytest.raises(CliError, match=message) as raised:
        make_file(name, content)
    assert name in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"nothing\.csv cannot be read: No such file"):
        new_model("mine", tmp_path / "nothing.csv", column="y", root=tmp_path)


def test_columns_that_share_a_name_are_left_out(make: Make) -> None:
    made = make("x,x,z,y\n" + "1,2,3,a\n4,5,6,b\n" * 10)

    assert feature(made, "z") == {"type": "number"}
    assert "left out: there are two columns of this name: rename or remove one" in map(str, made.hints)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_columns_of_lists_and_objects_are_left_out(make_file: MakeFile, name: str) -> None:
    rows = [{"x": i % 7, "tags": ["a", "b"], "more": {"k": i}, "y": "ab"[i % 2]} for i in range(20)]
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), out)
    content = {"rows.jsonl": "\n".join(map(json.dumps, rows)).encode(), "rows.parquet": bytes(out.getvalue())}

    made = make_file(name, content[name])

    reasons = {draft.name: draft.omitted for draft in made.document.drafts}
    assert [bool(reasons[column]) for column in ("tags", "more")] == [True, True]
    assert made.document.rows == 20


def test_columns_that_only_some_objects_have(make_file: MakeFile) -> None:
    rows = [{"x": i, "y": "ab"[i % 2], **({"late": 1.5 + i} if i > 5 else {})} for i in range(40)]

    made = make_file("rows.jsonl", "\n".join(map(json.dumps, rows)).encode())

    assert feature(made, "late") == {"type": "number"}
    assert "missing in 15%" in made.path.read_text()


def test_a_name_of_a_parquet_column_may_hold_an_end_of_line(make_file: MakeFile) -> None:
    out = pa.BufferOutputStream()
    pq.write_table(pa.table({"a\rb": [1.5, 2.5] * 10, "y": ["a", "b"] * 10}), out)

    made = make_file("rows.parquet", bytes(out.getvalue()))

    assert feature(made, "a\rb") == {"type": "number"}
