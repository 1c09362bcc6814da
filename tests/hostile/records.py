"""Hostile JSON Lines and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa

from contract.reasons import FileReason
from tests.hostile.files import Hostile, Table, as_parquet, hostile, lines


def json_lines(table: Table) -> Iterator[Hostile]:
    """JSON Lines with every value that JSON, or its writers, allow."""
    objects, name = table.objects(), str(table.header[0])
    count, text = len(objects), table.jsonl()

    def with_first(value: str) -> str:
        """The first object's first value, as any text."""
        line = json.dumps(objects[0]).replace(json.dumps(objects[0][name]), value, 1)
        return line + "\n" + text

    scored = {
        **{
            f"number {n}": with_first(value)
            for n, value in enumerate(("1e999", "-1e999", "9" * 4000, "1e-999"))
        },
        **{
            f"value {n}": with_first(v)
            for n, v in enumerate(("null", "true", '"1"', '"NaN"', '"\\ud800"', "[1]"))
        },
        "nested a little": with_first("[" * 30 + "]" * 30),
        "less": lines([{name: 1}, *objects]),
        "nothing": lines([{}, *objects]),
        "extra": lines([{**each, f"x{n}": {"deep": [n]}} for n, each in enumerate([*objects, *objects[:1]])]),
        "blank lines": "\n\n" + with_first("1").replace("\n", "\r\n\n"),
        # Of a key that an object has twice the last value counts, as by the endpoint.
        "twice": with_first(f'1, "{name}": 2'),
        "extra twice": with_first('1, "x": 2, "x": 3'),
    }
    for title, body in scored.items():
        yield hostile("jsonl", f"{title}.jsonl", body, None, rows=count + 1)
    for n, constant in enumerate(("NaN", "Infinity", "-Infinity")):
        yield hostile("jsonl", f"constant {n}.jsonl", with_first(constant), None, FileReason.NOT_JSON)
    for depth in (100, 100_000):
        deep = with_first("[" * depth + "]" * depth)
        yield hostile("jsonl", f"deep {depth}.jsonl", deep, FileReason.TOO_DEEP)
        yield hostile(
            "jsonl", f"open {depth}.jsonl", with_first("[" * depth), FileReason.TOO_DEEP, FileReason.NOT_JSON
        )
    bad: dict[str, tuple[str, FileReason]] = {
        "reserved": (lines([{**each, "rejected": ""} for each in objects]), FileReason.RESERVED_COLUMN),
        "missing": (
            lines([{k: v for k, v in each.items() if k != name} for each in objects]),
            FileReason.MISSING_COLUMN,
        ),
        "list": (text + "[1, 2]\n", FileReason.NOT_AN_OBJECT),
        "number": (text + "17\n", FileReason.NOT_AN_OBJECT),
        "cut": (text[:-5], FileReason.NOT_JSON),
        "two": (text.replace("\n", "", 1), FileReason.NOT_JSON),
        "single quotes": (text.replace('"', "'"), FileReason.NOT_JSON),
        "control": (with_first('"\x01"'), FileReason.NOT_JSON),
        "escape": (with_first('"\\x"'), FileReason.NOT_JSON),
        "pretty": (json.dumps(objects, indent=1), FileReason.NOT_JSON),
        "blank": ("\n\n \n", FileReason.EMPTY_FILE),
    }
    for title, (body, reason) in bad.items():
        yield hostile("jsonl", f"{title}.jsonl", body, reason)
    keys = lines(
        [{f"{'k' * 200}{n}-{i}": 1 for i in range(200)} | each for n, each in enumerate(objects * 4)]
    )
    yield hostile("jsonl", "many keys.jsonl", keys, FileReason.TOO_MANY_COLUMNS)


def parquets(table: Table) -> Iterator[Hostile]:
    """Parquet of every type and compression, and broken."""
    arrow, count = table.arrow(), len(table.rows)
    name = arrow.schema.names[0]
    whole = as_parquet(arrow)

    def with_first(column: pa.Array) -> bytes:
        return as_parquet(arrow.set_column(0, name, column))

    texts = pa.array(["NaN", "x", "1"] * count)[:count]
    scored = {
        "plain": whole,
        "nulls": with_first(pa.nulls(count, pa.float64())),
        "nothing": with_first(pa.nulls(count)),
        "texts": with_first(texts),
        "coded": with_first(texts.dictionary_encode()),
        "not finite": with_first(pa.array([float("nan"), float("inf"), -float("inf")] * count)[:count]),
        "large integers": with_first(pa.array([2**63 - 1] * count)),
        "groups": as_parquet(arrow, row_group_size=1),
        **{kind: as_parquet(arrow, compression=kind) for kind in ("gzip", "zstd", "lz4", "brotli", "none")},
    }
    for title, body in scored.items():
        yield hostile("parquet", f"{title}.parquet", body, None, rows=count)
    held = {
        "lists": pa.array([[1.0]] * count),
        "structs": pa.array([{"a": 1}] * count),
        "maps": pa.array([[("a", 1)]] * count, pa.map_(pa.string(), pa.int64())),
        "durations": pa.array([1] * count, pa.duration("s")),
        "bytes": pa.array([b"\xff"] * count),
    }
    for title, column in held.items():
        yield hostile("parquet", f"{title}.parquet", with_first(column), FileReason.UNSUPPORTED_TYPE)
    bad = {
        "no rows": (as_parquet(arrow.slice(0, 0)), FileReason.HEADER_ONLY),
        "missing": (as_parquet(arrow.drop_columns([name])), FileReason.MISSING_COLUMN),
        "twice": (as_parquet(arrow.append_column(name, texts)), FileReason.DUPLICATE_COLUMN),
        "reserved": (as_parquet(arrow.append_column("prediction", texts)), FileReason.RESERVED_COLUMN),
        "magic alone": (b"PAR1\x15" + b"PAR1", FileReason.NOT_PARQUET),
        "csv": (table.csv().encode(), FileReason.NOT_PARQUET),
        "empty": (b"", FileReason.EMPTY_FILE),
        **{f"cut at {n}": (whole[: len(whole) * n // 4], FileReason.NOT_PARQUET) for n in (1, 2, 3)},
        "large footer": (whole[:-8] + b"\xff\xff\xff\x7fPAR1", FileReason.NOT_PARQUET),
    }
    for title, (body, reason) in bad.items():
        yield hostile("parquet", f"{title}.parquet", body, reason)
