"""Whole tables in Parquet: every row of every type of column comes back, and what is no table is refused."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import serving
from contract.reasons import FileReason, Unscorable
from scoring.server.predictor import Predictor
from tabular import parquet_decoder
from tabular.columnar import as_csv
from tabular.parquet import TableResponse, TableScorer, result_fields
from tabular.parquet_sandbox import decode_apart

NAMES = ("amount", "colour", "opened", "size", "ratio", "plan")
MOMENT = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)
ROW = {
    "amount": 100.0,
    "colour": "red",
    "opened": dt.date(2024, 5, 1),
    "size": "S",
    "ratio": 0.5,
    "plan": "free",
}


@pytest.fixture(scope="module")
def predictor(mixed_model: Path) -> Predictor:
    return Predictor(mixed_model)


def scorer_of(predictor: Predictor, decode: Any) -> TableScorer:
    return TableScorer(
        lambda body: predictor.respond(serving.CSV, body),
        features=predictor.contract.feature_names,
        fields=result_fields(predictor.contract.problem, predictor.classes),
        model_version="mixed/1",
        decode=decode,
    )


@pytest.fixture(scope="module")
def scorer(predictor: Predictor) -> TableScorer:
    return scorer_of(predictor, parquet_decoder.decode)


@pytest.fixture(scope="module")
def careful(predictor: Predictor) -> TableScorer:
    """As the server has it: a file is decoded in a process of its own."""
    return scorer_of(predictor, decode_apart)


def table(rows: int = 1, **columns: Any) -> pa.Table:
    """Rows alike but for the columns given."""
    return pa.table({**{name: [value] * rows for name, value in ROW.items()}, **columns})


def written(rows: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(rows, file, **options)
    return file.getvalue()


def read(answer: TableResponse) -> pa.Table:
    result = pq.read_table(io.BytesIO(answer.body))
    assert answer.rows == result.num_rows
    assert answer.rejected == result.num_rows - result["rejected"].null_count
    return result


def refused(scorer: TableScorer, body: bytes) -> Unscorable:
    with pytest.raises(Unscorable) as caught:
        scorer.respond(body)
    assert caught.value.line is None
    return caught.value


def test_the_result_has_the_uploads_columns_as_they_were_and_the_same_predictions_as_csv(
    scorer: TableScorer, predictor: Predictor
) -> None:
    upload = table(
        3,
        amount=[100.0, 7.25, None],
        id=pa.array([1, 2, 3], pa.uint8()),
        note=['é,"\n', None, ""],
        tags=[["a"], None, []],
        inner=[{"k": "v", "n": {"m": 1}}, None, {"k": None, "n": None}],
        told=pa.array([[("a", "b")], [], None], pa.map_(pa.string(), pa.string())),
        when=pa.array([MOMENT] * 3, pa.timestamp("ns", "Europe/Berlin")),
        price=pa.array([Decimal("1.50"), None, Decimal("2")], pa.decimal128(30, 2)),
        raw=[b"\xff", b"", None],
        kind=pa.array(["a", None, "a"]).dictionary_encode(),
    )
    result = read(scorer.respond(written(upload)))
    assert result.column_names == [
        *upload.column_names,
        "prediction",
        "probability",
        "rejected",
        "model_version",
    ]
    assert result.select(upload.column_names).equals(upload)
    csv = "\n".join([",".join(NAMES), *(f"{a},red,2024-05-01,S,0.5,free" for a in ("100", "7.25", ""))])
    expected = [json.loads(line) for line in predictor.respond(serving.CSV, csv.encode()).splitlines()]
    assert result.select(["prediction", "probability"]).to_pylist() == expected
    assert result["rejected"].to_pylist() == [None] * 3
    assert set(result["model_version"].to_pylist()) == {"mixed/1"}


def test_a_bad_row_has_all_its_reasons_as_text(scorer: TableScorer) -> None:
    upload = table(2, amount=[float("nan"), 1.0], size=["XL", "S"], opened=["soon", "2024-05-01"])
    answer = scorer.respond(written(upload))
    first, second = read(answer).to_pylist()
    assert (answer.rows, answer.rejected) == (2, 1)
    assert (first["prediction"], first["probability"]) == (None, None)
    assert [part.rpartition("[")[2] for part in first["rejected"].split("; ")] == [
        "not_finite]",
        "not_a_datetime]",
        "not_in_set]",
    ]
    assert second["rejected"] is None


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("amount", pa.array([100], pa.int8())),
        ("amount", pa.array([100], pa.uint64())),
        ("amount", pa.array([100.0], pa.float32())),
        ("amount", pa.array([100.0], pa.float16())),
        ("amount", pa.array([Decimal("100.00")], pa.decimal128(9, 2))),
        ("amount", pa.array(["100"], pa.large_string())),
        ("amount", pa.array([b"100"], pa.binary())),
        ("colour", pa.array(["red"]).dictionary_encode()),
        ("colour", pa.array([" red "])),
        ("opened", pa.array([MOMENT], pa.timestamp("ns"))),
        ("opened", pa.array([MOMENT], pa.timestamp("ms", "UTC"))),
        ("opened", pa.array([MOMENT], pa.timestamp("us", "Europe/Berlin"))),
        ("opened", pa.array([1714521600], pa.int64()).view(pa.timestamp("s", "Mars/Olympus_Mons"))),
        ("opened", pa.array(["2024-05-01T02:00:00+02:00"])),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_a_value_is_the_same_in_any_type_that_can_hold_it(
    scorer: TableScorer, column: str, values: pa.Array
) -> None:
    expected = read(scorer.respond(written(table())))["probability"]
    assert read(scorer.respond(written(table(**{column: values}))))["probability"].equals(expected)


@pytest.mark.parametrize("value", [None, True])
def test_booleans_are_no_numbers_and_nulls_are_missing(scorer: TableScorer, value: bool | None) -> None:
    (row,) = read(scorer.respond(written(table(amount=pa.array([value], pa.bool_()))))).to_pylist()
    assert (row["rejected"] or "") == ("amount: 'true' is not a number [not_a_number]" if value else "")


def test_other_tables_columns_have_any_order_and_blanks_around_their_names(scorer: TableScorer) -> None:
    upload = table().select(list(reversed(NAMES))).rename_columns([f" {n} " for n in reversed(NAMES)])
    assert read(scorer.respond(written(upload)))["rejected"].to_pylist() == [None]


def without(name: str) -> pa.Table:
    return table().drop_columns([name])


@pytest.mark.parametrize(
    ("upload", "code", "column"),
    [
        (lambda: table().slice(0, 0), FileReason.HEADER_ONLY, None),
        (lambda: without("size"), FileReason.MISSING_COLUMN, "size"),
        (lambda: table().append_column("size", [["S"]]), FileReason.DUPLICATE_COLUMN, "size"),
        (lambda: table().append_column(" size", [["S"]]).rename_columns([*NAMES[:3], "size ", *NAMES[4:], " size"]),
         FileReason.DUPLICATE_COLUMN, "size"),
        (lambda: table(prediction=["x"]), FileReason.RESERVED_COLUMN, "prediction"),
        (lambda: table(amount=[[1.0]]), FileReason.UNSUPPORTED_TYPE, "amount"),
        (lambda: table(colour=[{"a": 1}]), FileReason.UNSUPPORTED_TYPE, "colour"),
        (lambda: table(colour=[b"\xff"]), FileReason.UNSUPPORTED_TYPE, "colour"),
        (lambda: table(opened=pa.array([1], pa.duration("s"))), FileReason.UNSUPPORTED_TYPE, "opened"),
        (lambda: table(40_000, amount=pa.array([1.0] * 40_000), more=[b"\0" * 10_000] * 40_000),
         FileReason.DECOMPRESSION_BOMB, None),
        (lambda: table(20_000, more=[[b"\0" * 10_000]] * 20_000), FileReason.DECOMPRESSION_BOMB, None),
        (lambda: pa.table({"x": pa.repeat(pa.scalar(1.0), 40_000_000)}), FileReason.MISSING_COLUMN, "amount"),
        (lambda: pa.table({name: pa.repeat(pa.scalar(1.0), 6_000_000) for name in NAMES}), FileReason.TOO_LARGE, None),
    ],
)  # fmt: skip
def test_what_is_no_table_of_this_model_is_refused(
    scorer: TableScorer, upload: Callable[[], pa.Table], code: FileReason, column: str | None
) -> None:
    why = refused(scorer, written(upload()))
    assert (why.code, why.column) == (code, column)


def test_a_result_that_no_answer_can_hold_is_too_large(scorer: TableScorer) -> None:
    body = written(table(300, id=[random.Random(n).random() for n in range(300)]))
    size = len(scorer.respond(body).body)
    assert len(scorer.respond(body, size).body) == size
    with pytest.raises(Unscorable, match=r"one answer [\d,]+ at most") as caught:
        scorer.respond(body, size - 1)
    assert caught.value.code is FileReason.TOO_LARGE


def test_text_that_is_none_is_refused_wherever_it_is(scorer: TableScorer) -> None:
    broken = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff"))
    why = refused(scorer, written(table(note=broken)))
    assert (why.code, why.column) == (FileReason.UNDECODABLE, "note")


def test_a_file_that_counts_its_rows_wrongly_is_no_parquet(scorer: TableScorer) -> None:
    body = written(table(5))
    rows_then_groups = b"\x16\x0a\x19\x1c"  # Thrift: field 3, 5; field 4, a list of one struct
    assert body.count(rows_then_groups) == 1
    assert refused(scorer, body.replace(rows_then_groups, b"\x16\x0c\x19\x1c")).code == FileReason.NOT_PARQUET


def test_a_missing_value_of_an_only_column_is_a_row() -> None:
    batch = pa.record_batch({"a": pa.array([1.5, None]), "b": [1, 2]})
    assert as_csv(batch, ["a"]).replace(b'"', b"") == b"a\n1.5\n\n"
    assert as_csv(batch, ["a"]).endswith(b'""\n')


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
def test_a_result_is_compressed_as_its_upload(scorer: TableScorer, compression: str) -> None:
    answer = scorer.respond(written(table(5), compression=compression))
    columns = pq.ParquetFile(io.BytesIO(answer.body)).metadata.row_group(0)
    names = {columns.column(i).compression.lower() for i in range(columns.num_columns)}
    assert names == {compression.replace("none", "uncompressed")}


def test_many_batches_come_back_in_order(scorer: TableScorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_decoder, "BATCH_ROWS", 7)
    result = read(scorer.respond(written(table(100, id=list(range(100))), row_group_size=33)))
    assert result["id"].to_pylist() == list(range(100))


@pytest.mark.parametrize("body", [b"", b"PAR1", b"PAR1PAR1", b"PAR1\0\0\0\0PAR1", b"PARE" * 3, b"a,b\n1,2\n"])
def test_what_is_no_parquet_is_refused(scorer: TableScorer, body: bytes) -> None:
    assert refused(scorer, body).code in ("not_parquet", "empty_file")


def test_a_file_cut_off_anywhere_is_no_parquet(scorer: TableScorer) -> None:
    body = written(table(20, id=list(range(20))))
    for end in range(1, len(body), 97):
        assert refused(scorer, body[:end]).code == FileReason.NOT_PARQUET


@pytest.mark.parametrize("seed", range(12))
def test_altered_bytes_give_a_table_or_a_refusal(careful: TableScorer, seed: int) -> None:
    draw = random.Random(seed)
    body = bytearray(written(table(5, id=list(range(5)), tags=[["a"]] * 5), compression="none"))
    for _ in range(draw.randint(1, 4)):
        body[draw.randrange(len(body))] = draw.randrange(256)
    with suppress(Unscorable):
        read(careful.respond(bytes(body)))


def test_a_file_on_which_the_reader_aborts_is_no_parquet(
    careful: TableScorer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tabular").mkdir()
    (tmp_path / "tabular" / "__init__.py").touch()
    (tmp_path / "tabular" / "parquet_decoder.py").write_text("import os\nos.abort()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert refused(careful, written(table())).message.endswith("its reader fails on it.")


@pytest.mark.slow
def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_one_is_not(
    careful: TableScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = table(20_000, more=[b"\0" * 10_000] * 20_000)
    assert refused(careful, written(bomb)).code == FileReason.DECOMPRESSION_BOMB
    assert read(careful.respond(written(table())))["rejected"].to_pylist() == [None]


column_values = {
    "amount": st.none() | st.floats(width=64),
    "colour": st.none() | st.text(max_size=4),
    "opened": st.none() | st.dates().map(str) | st.text(max_size=4),
    "size": st.none() | st.sampled_from(["S", "M", "XL", ""]),
    "ratio": st.none() | st.floats(-2, 2),
    "plan": st.none() | st.sampled_from(["free", "paid", "?"]),
}


@settings(max_examples=100)
@given(st.lists(st.fixed_dictionaries(column_values), min_size=1, max_size=8))
def test_rows_out_are_rows_in(scorer: TableScorer, rows: list[dict[str, Any]]) -> None:
    types = {"amount": pa.float64(), "ratio": pa.float64()}
    upload = pa.table({n: pa.array([row[n] for row in rows], types.get(n, pa.string())) for n in NAMES})
    result = read(scorer.respond(written(upload)))
    assert result.select(NAMES).cast(upload.schema).to_pydict().__repr__() == upload.to_pydict().__repr__()
    for row in result.to_pylist():
        assert (row["prediction"] is None) != (row["rejected"] is None)
