"""Files that nobody should upload and somebody will: a valid table, spoiled in every way that is refused or survived.

All follow from a seed. Each file says what may become of it.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from random import Random

from contract.reasons import FileReason
from tests.hostile.files import Hostile, Table, as_parquet, hostile
from tests.hostile.records import json_lines, parquets
from tests.hostile.texts import gzips, texts

KEYS = (
    *("a b.csv", "a+b.csv", "100%.csv", "%2F%20.csv", "größe 🌍.csv", "a//b.csv", "quo\"te'.csv", ".csv"),
    *("x=1&y=2?z#f.csv", "deep/" * 50 + "x.csv", "x" * (1024 - len("score/hostile/keys/.csv")) + ".csv"),
)
CELLS = (
    *("NaN", "nan", "inf", "-Infinity", "1e400", "-1e400", "1e-400", "1,000", "1.000,5", "1_000", "0x10"),
    *(
        "１２",
        "١٢",
        "½",
        "1 000",
        "--1",
        "+1",
        " 1 ",
        "\t1",
        "1.",
        ".5",
        "1e5",
        "",
        " ",
        "n/a",
        "null",
        "=1+1",
    ),
    *("true", "9" * 5000, "0." + "0" * 5000 + "1", "-1", "-0", "2024-03-01", "x" * 10_000, "\x00", "\u2028"),
)
"""What people, spreadsheets and attackers write for a number."""


def corpus(table: Table, *, seed: str, fuzzed: int) -> list[Hostile]:
    """Every file, and `fuzzed` more of each format, in any order. Keys are unique."""
    random = Random(seed)
    files = [
        *keys(table),
        *texts(table),
        *cells(table),
        *gzips(table),
        *json_lines(table),
        *parquets(table),
        *_fuzzed(table, random, fuzzed),
    ]
    random.shuffle(files)
    return files


def keys(table: Table) -> Iterator[Hostile]:
    for key in KEYS:
        yield hostile("keys", key, table.csv(), None, rows=len(table.rows))
    for ending in ("xlsx", "pdf", "csv.zip", "csv.zst", "CSV.BAK", "py"):
        yield hostile("keys", f"x.{ending}", table.csv(), FileReason.UNSUPPORTED_FORMAT)


def cells(table: Table) -> Iterator[Hostile]:
    rows = [[cell, *table.rows[n % len(table.rows)][1:]] for n, cell in enumerate(CELLS)]
    spoiled = Table(table.header, rows)
    yield hostile("cells", "all.csv", spoiled.csv(), None, rows=len(rows))
    yield hostile("cells", "all.tsv", spoiled.csv("\t"), None, rows=len(rows))
    yield hostile("cells", "all.jsonl", spoiled.jsonl(), None, rows=len(rows))
    yield hostile(
        "cells", "none.csv", Table(table.header, [[""] * len(table.header)] * 9).csv(), None, rows=9
    )


def _fuzzed(table: Table, random: Random, times: int) -> Iterator[Hostile]:
    valid = {
        "csv": table.csv().encode(),
        "csv.gz": gzip.compress(table.csv().encode(), mtime=0),
        "jsonl": table.jsonl().encode(),
        "jsonl.gz": gzip.compress(table.jsonl().encode(), mtime=0),
        "parquet": as_parquet(table.arrow()),
    }
    for ending, body in valid.items():
        for number in range(times):
            yield hostile("fuzzed", f"{number}.{ending}", mutated(random, body))


def mutated(random: Random, body: bytes) -> bytes:
    """A few bytes changed, cut out, doubled or put in; most often near an end, where the structure is."""
    data = bytearray(body)
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.choice((random.randrange(len(data)), min(len(data) - 1, int(random.expovariate(0.02)))))
        at = random.choice((at, len(data) - 1 - at))
        size = random.choice((1, 1, 4, 50))
        match random.randrange(4):
            case 0:
                data[at] ^= 1 << random.randrange(8)
            case 1:
                del data[at : at + min(size, len(data) - 1)]
            case 2:
                data[at:at] = data[at : at + size]
            case 3:
                data[at:at] = random.randbytes(size)
    return bytes(data)
