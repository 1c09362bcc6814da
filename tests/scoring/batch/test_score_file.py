"""A file is scored as its rows are, whatever it looks like and wherever its blocks end."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contract.reasons import FileReason, Unscorable, rejected_text
from contract.serving import CSV
from scoring.batch.score_file import Counts, score_file
from scoring.server.predictor import Predictor
from scoring.server.response_rows import csv_line
from tests.fixtures.folders import Run
from tests.fixtures.tables import Table, diabetes, mixed, to_csv, wine

VERSION = 'group/7, the "best" 100%'
HEADER = mixed().header[:-1]
GOOD = ("100", "red", "2024-05-01", "S", "0.5", "free")


@pytest.fixture(scope="session")
def predictor(mixed_model: Path) -> Predictor:
    return Predictor(mixed_model)


def scored(predictor: Predictor, body: bytes, **options: Any) -> tuple[Counts, bytes]:
    result = io.BytesIO()
    counts = score_file(predictor, io.BytesIO(body), result, model_version=VERSION, **options)
    return counts, result.getvalue()


def expected(predictor: Predictor, rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """The rows of a result, by what the server answers to its rows one at a time."""
    found = []
    for row in rows[1:]:
        answer = json.loads(
            predictor.answer(CSV, to_csv([rows[0], row], csv.QUOTE_ALL).encode()), parse_float=str
        )
        own = [*row[:width], *[""] * (width - len(row))]
        reasons = rejected_text(answer.pop("rejected", []))
        answer.pop("unseen", None)
        cells = list(answer.values()) or [""] * len(_cells(predictor))
        found.append([*own, *cells, reasons, VERSION])
    return found


def _cells(predictor: Predictor) -> Sequence[str]:
    classes = [f"probability_{name}" for name in predictor.classes]
    added = {"binary": ["probability"], "multiclass": classes, "regression": []}
    return ["prediction", *added[predictor.contract.problem]]


texts = st.one_of(
    st.text("ab,\"'\n\r ä", max_size=5), st.sampled_from(["", "1", "?", "S", "red", "2024-01-01"])
)
polluted = st.lists(
    st.one_of(st.just(GOOD), st.tuples(*[texts] * 6), st.lists(texts, min_size=1, max_size=8)), min_size=1
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=polluted, end=st.sampled_from(["\n", "\r\n"]), block=st.integers(1, 400))
@example(rows=[GOOD] * 40, end="\r\n", block=100)
@example(rows=[GOOD, GOOD[:3], (*GOOD, "more"), ("x", *GOOD[1:])] * 5, end="\n", block=90)
@example(rows=[*[GOOD] * 9, ("1", 'a "quoted"\nvalue', *GOOD[2:]), *[GOOD] * 9], end="\n", block=50)
def test_a_file_is_scored_as_its_rows_are(
    predictor: Predictor, rows: list[Sequence[str]], end: str, block: int
) -> None:
    table = [HEADER, *(row for row in rows if list(row) != [""])]
    if len(table) == 1:
        return
    body = "".join(csv_line(row) + end for row in table).encode()
    counts, result = scored(predictor, body, block_bytes=block)
    header, *found = csv.reader(io.StringIO(result.decode(), newline=""))
    assert header == [*HEADER, *_cells(predictor), "rejected", "model_version"]
    assert found == expected(predictor, table, len(HEADER))
    assert counts == (sum(not row[-2] for row in found), sum(bool(row[-2]) for row in found))


def test_the_same_bytes_come_out_however_many_threads_and_wherever_blocks_end(predictor: Predictor) -> None:
    table = mixed()
    draw = random.Random(5)
    rows = [row if draw.random() < 0.9 else ("bad", *row[1:]) for row in table.rows]
    plain = [row for row in rows if not set(row[1]) & {'"', ","}]
    body = to_csv([table.header, *plain]).replace("\n", "\n\n", 3).encode()
    _, first = scored(predictor, body, threads=1)
    assert first.count(b"\n") == len(plain) + 1
    for threads, block in ((2, 1), (4, 777), (3, 5000)):
        assert scored(predictor, body, threads=threads, block_bytes=block)[1] == first
    assert scored(predictor, b"\xef\xbb\xbf\n" + body.rstrip(b"\n"))[1] == first
    assert scored(predictor, to_csv([table.header, *plain], csv.QUOTE_ALL).encode())[1] == first


@pytest.mark.parametrize("table", [wine(), diabetes()], ids=lambda table: table.contract.problem)
def test_other_problems(tmp_path: Path, table: Table) -> None:
    _, trained = Run(tmp_path, table).trained()
    predictor = Predictor(trained.base / "model")
    rows = [table.header, *table.rows[:30], ("x", *table.rows[0][1:])]
    _, result = scored(predictor, to_csv(rows).encode())
    header, *found = csv.reader(io.StringIO(result.decode()))
    assert header == [*table.header, *_cells(predictor), "rejected", "model_version"]
    assert found == expected(predictor, rows, len(table.header))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", FileReason.EMPTY_FILE),
        (b"\n\r\n", FileReason.EMPTY_FILE),
        (to_csv([HEADER]).encode(), FileReason.HEADER_ONLY),
        (to_csv([HEADER]).encode() + b"\n\n\n", FileReason.HEADER_ONLY),
        (to_csv([HEADER[1:], GOOD[1:]]).encode(), FileReason.MISSING_COLUMN),
        (to_csv([(*HEADER, "size"), (*GOOD, "S")]).encode(), FileReason.DUPLICATE_COLUMN),
        (to_csv([(*HEADER, "rejected"), (*GOOD, "S")]).encode(), FileReason.RESERVED_COLUMN),
        (to_csv([HEADER, GOOD, ("\xff", *GOOD[1:])]).encode("latin-1"), FileReason.UNDECODABLE),
        (to_csv([HEADER, ('"', *GOOD[1:]), ("\xff", *GOOD[1:])]).encode("latin-1"), FileReason.UNDECODABLE),
        (to_csv([HEADER, GOOD]).encode() + b'"1', FileReason.NOT_CSV),
    ],
)
@pytest.mark.parametrize("block", [1, 1000])
def test_what_is_no_table_of_this_model_is_refused(
    predictor: Predictor, body: bytes, code: FileReason, block: int
) -> None:
    with pytest.raises(Unscorable) as refused:
        scored(predictor, body, block_bytes=block)
    assert refused.value.code == code


@pytest.mark.parametrize("block", [1, 50, 1000])
def test_an_undecodable_byte_is_found_where_it_is(predictor: Predictor, block: int) -> None:
    body = to_csv([HEADER, *[GOOD] * 5]).encode() + b"1,\xff"
    with pytest.raises(Unscorable) as refused:
        scored(predictor, body, block_bytes=block)
    assert refused.value.byte == len(body) - 1
