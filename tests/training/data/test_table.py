"""A table means the same in every format: the same rows, the same samples, the same faults."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.reasons import FileReason, RowReason, Unscorable
from contract.schema import Contract, Feature, Target
from tabular.samples import Samples
from tests.fixtures.tables import Table, mixed, to_csv
from training.data import table

Encode = Callable[[Table], bytes]


def as_csv(given: Table) -> bytes:
    return given.csv().encode()


def as_semicolons(given: Table) -> bytes:
    lines = (";".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in given.rows)
    return "\r\n".join([";".join(given.header), *lines]).encode("utf-16")


def as_json_lines(given: Table) -> bytes:
    return "\n".join(json.dumps(dict(zip(given.header, row, strict=True))) for row in given.rows).encode()


def as_parquet(given: Table) -> bytes:
    columns = {
        name: list(column) for name, column in zip(given.header, zip(*given.rows, strict=True), strict=True)
    }
    columns["opened"] = pa.array(columns["opened"]).dictionary_encode()
    out = io.BytesIO()
    # Other columns may hold anything, and there may be several groups of rows.
    more = {"other": [[1, 2]] * len(given.rows), "prediction": [None] * len(given.rows)}
    pq.write_table(pa.table({**more, **columns}), out, row_group_size=250)
    return out.getvalue()


FORMATS: dict[str, Encode] = {
    "a.csv": as_csv,
    "a.tsv": as_semicolons,
    "a.jsonl": as_json_lines,
    "a.parquet": as_parquet,
}


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def samples(path: Path, given: Table) -> Samples:
    chunks = list(table.read(path, given.contract))
    assert not any(chunk.refused.any() or chunk.ragged for chunk in chunks)
    return Samples.joined(table.sound(given.contract, chunk) for chunk in chunks)


BOOLEANS = {
    "a.csv": b"member,late\nTrue,True\nFalse,False\n",
    "excel.csv": b"member;late\r\nTRUE;TRUE\r\nFALSE;FALSE\r\n",
    "a.jsonl": b'{"member": true, "late": true}\n{"member": false, "late": false}\n',
    "a.parquet": b"",
}


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("spelled", [("False", "True"), ("false", "true"), ("FALSE", "TRUE")])
def test_booleans_are_one_value_in_every_format(tmp_path: Path, name: str, spelled: tuple[str, str]) -> None:
    path = write(tmp_path, name, BOOLEANS[name])
    if name == "a.parquet":
        pq.write_table(pa.table({"member": [True, False], "late": [True, False]}), path)
    no, yes = spelled
    member = Feature(name="member", type="category", values=spelled)
    contract = Contract(
        model="m", problem="binary", target=Target(name="late", positive=yes), features=(member,)
    )

    (chunk,) = table.read(path, contract)

    assert chunk.features.categories.tolist() == [[yes], [no]]
    assert chunk.target.tolist() == [yes, no]
    assert chunk.refusals == []


WHOLE = {
    "a.csv": b"plan,late\n1,0\n2,1\n?,1\n",
    "pandas.csv": b"plan,late\n1.0,0.0\n2.0,1.0\n,1.0\n",
    "a.jsonl": b'{"plan": 1, "late": 0}\n{"plan": 2.0, "late": 1e0}\n{"late": "1.0"}',
    "a.parquet": b"",
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(("no", "yes"), [("0", "1"), ("0.0", "1.0"), ("0.00", "1.00")])
def test_whole_numbers_are_one_category_in_every_format(tmp_path: Path, name: str, no: str, yes: str) -> None:
    path = write(tmp_path, name, WHOLE[name])
    if name == "a.parquet":
        pq.write_table(pa.table({"plan": [1.0, 2.0, None], "late": pa.array([0, 1, 1], pa.float32())}), path)
    plan = Feature(name="plan", type="category", missing=("?",))
    contract = Contract(
        model="m", problem="binary", target=Target(name="late", positive=yes), features=(plan,)
    )

    (chunk,) = table.read(path, contract)

    assert chunk.features.categories.tolist() == [["1"], ["2"], [""]]
    assert chunk.target.tolist() == [no, yes, yes]


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_the_same_samples(tmp_path: Path, name: str, ending: str) -> None:
    given = mixed()
    expected = samples(write(tmp_path, "expected.csv", as_csv(given)), given)
    found = samples(write(tmp_path, name + ending, FORMATS[name](given)), given)
    assert len(found) == len(given.rows)
    np.testing.assert_array_equal(found.numbers, expected.numbers)
    assert found.categories.tolist() == expected.categories.tolist()
    assert found.target.tolist() == expected.target.tolist()


@pytest.mark.parametrize(
    ("name", "place"), [("a.csv", 5), ("a.jsonl", 4), ("a.parquet", 4), ("a.parquet.gz", 4)]
)
def test_a_fault_is_at_its_line_or_row(tmp_path: Path, name: str, place: int) -> None:
    rows = list(mixed().rows)
    rows[3] = ("much", *rows[3][1:])
    encode = FORMATS[name.removesuffix(".gz")]
    path = write(tmp_path, name, encode(Table(mixed().contract, mixed().header, tuple(rows))))
    first, *_ = table.read(path, mixed().contract)
    (fault,) = first.refusals
    assert (fault.code, fault.column, first.places[fault.row]) == (RowReason.NOT_A_NUMBER, "amount", place)


def test_a_list_in_json_is_one_fault_of_its_column(tmp_path: Path) -> None:
    lines = as_json_lines(mixed()).decode().splitlines()
    lines[7] = json.dumps({**json.loads(lines[7]), "size": ["S"], "outcome": {"a": 1}})
    (chunk,) = table.read(write(tmp_path, "a.jsonl", "\n".join(lines).encode()), mixed().contract)
    assert [(refusal.column, refusal.row, refusal.code) for refusal in chunk.refusals] == [
        ("size", 7, RowReason.NESTED_VALUE),
        ("outcome", 7, RowReason.NESTED_VALUE),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv.gz", gzip.compress(as_csv(mixed()))[:-9], FileReason.NOT_GZIP),
        ("a.jsonl", b'{"amount": 1}\n[]', FileReason.NOT_AN_OBJECT),
        ("a.jsonl", b'{"amount": 1}', FileReason.MISSING_COLUMN),
        ("a.jsonl", b"", FileReason.EMPTY_FILE),
        ("a.parquet", as_parquet(mixed())[:-200], FileReason.NOT_PARQUET),
        ("a.parquet", b"PAR1\x15 and no more", FileReason.NOT_PARQUET),
        ("a.parquet", b"", FileReason.NOT_PARQUET),
        ("a.xlsx", b"PK\x03\x04", FileReason.UNSUPPORTED_FORMAT),
    ],
)
def test_a_file_that_is_no_table_says_why(
    tmp_path: Path, name: str, content: bytes, code: FileReason
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Unscorable) as caught:
        list(table.read(path, mixed().contract))
    assert caught.value.code == code


@pytest.mark.parametrize("missing", ["amount", "outcome"])
def test_a_parquet_file_without_a_column_names_it(tmp_path: Path, missing: str) -> None:
    whole = pq.read_table(io.BytesIO(as_parquet(mixed())))
    pq.write_table(whole.drop_columns([missing]), tmp_path / "a.parquet")
    with pytest.raises(Unscorable, match=f"no column '{missing}'"):
        list(table.read(tmp_path / "a.parquet", mixed().contract))


def test_a_reader_that_is_left_alone_leaves_no_process(tmp_path: Path) -> None:
    rows = mixed().rows * 60
    content = as_parquet(Table(mixed().contract, mixed().header, rows))
    chunks = table.read(write(tmp_path, "a.parquet", content), mixed().contract)
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]


def test_files_have_the_names_people_gave_them_unless_two_share_one() -> None:
    paths = [Path("0123abcd-a.csv"), Path("89abcdef-a.csv"), Path("0a1b2c3d-b.csv"), Path("plain.csv")]
    assert list(table.uploaded_names(paths).values()) == [
        "0123abcd-a.csv",
        "89abcdef-a.csv",
        "b.csv",
        "plain.csv",
    ]


def test_a_header_alone_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(Unscorable) as caught:
        list(table.read(write(tmp_path, "a.csv", to_csv([mixed().header]).encode()), mixed().contract))
    assert caught.value.code == FileReason.HEADER_ONLY
