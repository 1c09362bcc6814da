"""A corpus of hostile files, generated: whatever is done to a table, it has one outcome, and that is right.

The model is a real one. An outcome is a result with all of the file's rows, or an Unscorable;
everything else (a fault, an exception) would be tried again for days.
"""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.events import Upload
from contract.reasons import REMEDIES, RowReason, Unscorable
from scoring.upload.score import Result
from tabular.formats.detection import Format
from tests.fixtures.files import delimited, fields, plain, score
from tests.fixtures.folders import Run
from tests.fixtures.real_model import RealModel
from tests.fixtures.tables import mixed

pytestmark = pytest.mark.slow

HEADER = ["id", *mixed().header[:-1]]
GOOD = ["1", "100", "red", "2024-05-01", "S", "0.5", "free"]
ROWS = 40


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> RealModel:
    _, trained = Run(tmp_path_factory.mktemp("mixed"), mixed()).trained()
    return RealModel(trained.base / "model")


def table() -> list[list[str]]:
    return [HEADER, *([str(n), *GOOD[1:]] for n in range(ROWS))]


def as_csv(rows: list[list[str]], draw: random.Random) -> bytes:
    return delimited(rows, draw.choice(",;\t|"), draw.choice(["utf-8", "utf-8-sig", "utf-16"]), "\r\n")


def as_json_lines(rows: list[list[str]], draw: random.Random) -> bytes:
    return "\n".join(json.dumps(dict(zip(rows[0], row, strict=False))) for row in rows[1:]).encode()


def as_parquet(rows: list[list[str]], draw: random.Random) -> bytes:
    names = list(dict.fromkeys(rows[0]))
    columns = {n: [row[i] if i < len(row) else None for row in rows[1:]] for i, n in enumerate(names)}
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression=draw.choice(["none", "snappy", "zstd"]))
    return file.getvalue()


WRITERS = {"csv": as_csv, "jsonl": as_json_lines, "parquet": as_parquet}

VALUES = [
    "", " ", "NaN", "inf", "-Infinity", "1e999", "-1e-999", "9" * 400, "1_000", "1,000", "1 000", "１２", "٣", "0x10",
    "null", "None", "true", " 5 ", "+7", "--1", "5%", "€5", "2024-13-45", "2024-02-30T25:00", "01/02/2024", "20240501",
    "1714564800", "\r", "\n", '"', '""', "'", ";", "|", "\t", "\0", "\u2028", "\ufeff", "\x85", "🙂", "a" * 10_000, "XL",
]  # fmt: skip


def odd_values(rows: list[list[str]], draw: random.Random) -> None:
    for _ in range(draw.randint(1, 30)):
        draw.choice(rows[1:])[draw.randrange(len(HEADER))] = draw.choice(VALUES)


def odd_widths(rows: list[list[str]], draw: random.Random) -> None:
    for _ in range(draw.randint(1, 5)):
        row = draw.choice(rows[1:])
        row[draw.randrange(1, len(row) + 1) :] = draw.choice([[], ["more"], ["more", "and", "more"] * 3])


def odd_header(rows: list[list[str]], draw: random.Random) -> None:
    place = draw.randrange(len(HEADER))
    name = draw.choice(["prediction", "probability_x", "size", " size", "SIZE", "", "\n", "é" * 300, "id"])
    rows[0] = [*HEADER[:place], name, *HEADER[place + 1 :]]


def other_order(rows: list[list[str]], draw: random.Random) -> None:
    order = draw.sample(range(len(HEADER)), len(HEADER))
    rows[:] = [[row[i] for i in order] for row in rows]


def no_rows(rows: list[list[str]], draw: random.Random) -> None:
    del rows[draw.randint(0, 1) :]
    rows.extend([[]] * (not rows))


TABLES: list[Callable[[list[list[str]], random.Random], None]] = [
    lambda rows, draw: None,
    odd_values,
    odd_widths,
    odd_header,
    other_order,
    no_rows,
]


def cut(body: bytes, draw: random.Random) -> bytes:
    return body[: draw.randrange(len(body) + 1)]


def altered(body: bytes, draw: random.Random) -> bytes:
    found = bytearray(body or b"x")
    for _ in range(draw.randint(1, 6)):
        found[draw.randrange(len(found))] = draw.randrange(256)
    return bytes(found)


def spliced(body: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(body) + 1)
    what = [
        b"\0",
        b"\xff",
        b'"',
        b"\n\n\n",
        b"\r",
        b"\xef\xbb\xbf",
        b"{",
        b"}",
        b"[" * 500,
        b"NaN",
        body,
        gzip.compress(b"x"),
    ]
    return body[:at] + draw.choice(what) + body[at:]


BYTES: list[Callable[[bytes, random.Random], bytes]] = [lambda body, draw: body, cut, altered, spliced]


def hostile(seed: int, form: str) -> tuple[str, bytes]:
    """A key and a file."""
    draw = random.Random(f"{form}{seed}")
    rows = [list(row) for row in table()]
    draw.choice(TABLES)(rows, draw)
    body = draw.choice(BYTES)(WRITERS[form](rows, draw), draw)
    compressed = draw.random() < 0.4
    if compressed:
        body = draw.choice(BYTES)(gzip.compress(body, mtime=0), draw)
    ending = draw.choice([f".{form}", f".{form}", ""])
    return f"a{ending}{'.gz' if compressed and ending else ''}", body


def rows_of(result: Result, body: bytes) -> list[dict[str, Any]]:
    """A result's rows by column."""
    content = plain(result, body)
    if result.format is Format.PARQUET:
        return list(pq.read_table(io.BytesIO(content)).to_pylist())
    codec = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if result.format is Format.JSON_LINES:
        return [json.loads(line, parse_int=str) for line in content.decode(codec).split("\n") if line]
    text = content.decode(codec)
    delimiter = next(d for d in ",;\t|" if f"rejected{d}model_version\n" in text)
    header, *rows = fields(content, delimiter, codec)
    return [dict(zip(header, row, strict=True)) for row in rows]


def told(why: Unscorable) -> str:
    """The code of an outcome that says why."""
    document = json.loads(why.to_json(Upload(bucket="b", key="k", version_id="v")).encode())
    assert document["message"]
    assert document["remedy"] == REMEDIES[why.code]
    return why.code


def check(model: RealModel, key: str, body: bytes) -> str:
    """Score a file; what it came to."""
    try:
        result, written = score(key, body, model=model, features=model.features)
    except Unscorable as why:
        return told(why)
    rows = rows_of(result, written)
    assert len(rows) == result.scored + result.rejected
    assert sum(1 for row in rows if row["rejected"]) == result.rejected
    for row in rows:
        assert (row["prediction"] in (None, "")) == bool(row["rejected"])
        for reason in (row["rejected"] or "").split("]; ") if row["rejected"] else []:
            assert RowReason(reason.rstrip("]").rpartition("[")[2])
    return "scored"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_every_hostile_file_has_one_outcome(model: RealModel, form: str) -> None:
    outcomes = {check(model, *hostile(seed, form)) for seed in range(1000)}
    assert "scored" in outcomes
    expected = {"csv": {"missing_column", "duplicate_column", "reserved_column", "not_csv", "header_only"}}
    expected["jsonl"] = {"missing_column", "reserved_column", "not_json"}
    assert expected[form] | {"empty_file", "undecodable", "not_gzip"} <= outcomes


def test_every_hostile_parquet_has_one_outcome(model: RealModel) -> None:
    outcomes = {check(model, *hostile(seed, "parquet")) for seed in range(30)}
    assert {"scored", "not_parquet"} <= outcomes


JSON_VALUES = [
    "NaN", "-Infinity", "1e999", "-0", "1" * 5000, "0." + "1" * 5000, '"\\ud800"', '"\\u0000"', "[[[]]]", '{"a": {"b": 1}}',
    "[" * 62 + "]" * 62, "true", "null", '"1.5"', '" 1.5 "', '"1_0"', "1.0e2", '"\\r\\n"', '"]}"',
]  # fmt: skip


def test_any_json_value_in_any_member_is_a_row_with_a_prediction_or_reasons(model: RealModel) -> None:
    good = {name: json.dumps(value) for name, value in zip(HEADER, GOOD, strict=True)}
    rows = [{**good, name: value} for name in HEADER for value in JSON_VALUES]
    lines = ["{" + ", ".join(f'"{n}":{v}' for n, v in row.items()) + "}" for row in rows]
    result, body = score("a.jsonl", "\n".join(lines).encode(), model=model, features=model.features)
    written = body.decode().splitlines()
    assert len(written) == len(lines) == result.scored + result.rejected
    for line, out in zip(lines, written, strict=True):
        assert out.startswith(line[:-1]), "the object's own text"
        said = json.loads(out, parse_int=str)
        assert (said["prediction"] is None) == (said["rejected"] is not None)


def test_the_same_rows_have_the_same_predictions_in_every_format(model: RealModel) -> None:
    draw = random.Random(7)
    rows = table()
    for row in rows[1:]:
        row[1], row[5] = str(draw.randint(-50, 300)), draw.choice(["0.25", "", "1e3"])
        row[2], row[4] = draw.choice(["red", "octarine", "?"]), draw.choice(["S", "M", "XL"])
    said = []
    for form, writer in WRITERS.items():
        for compressed in (False, True):
            upload = gzip.compress(writer(rows, draw)) if compressed else writer(rows, draw)
            result, body = score(f"a.{form}", upload, model=model, features=model.features)
            assert result.extension == form + ".gz" * compressed
            found = rows_of(result, body)
            assert [row["id"] for row in found] == [str(n) for n in range(ROWS)]
            said.append(
                [
                    (row["prediction"] or "", float(row.get("probability") or -1), row["rejected"] or "")
                    for row in found
                ]
            )
    assert said == [said[0]] * 6
    assert 0 < sum(1 for _, _, rejected in said[0] if rejected) < ROWS
