"""A hostile file, and the valid table that it is made of."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from contract.reasons import FileReason

Row = Sequence[Any]
Json = dict[str, Any]


@dataclass(frozen=True)
class Hostile:
    """One file. It is refused for one of `reasons`, or scored where that has None; anything where it is empty.

    A scored one has as many `rows` as here, where that is known.
    """

    key: str
    body: bytes
    reasons: frozenset[FileReason | None] = frozenset()
    rows: int | None = None


@dataclass(frozen=True)
class Table:
    """A valid table, whose columns all hold numbers that the model needs."""

    header: Sequence[str]
    rows: Sequence[Row]

    def csv(self, delimiter: str = ",", end: str = "\n") -> str:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return text.getvalue()

    def objects(self) -> list[Json]:
        return [dict(zip(self.header, row, strict=True)) for row in self.rows]

    def jsonl(self) -> str:
        return lines(self.objects())

    def arrow(self) -> pa.Table:
        return pa.table({name: [row[i] for row in self.rows] for i, name in enumerate(self.header)})

    def with_column(self, name: str, value: Any = "1") -> Table:
        return Table([*self.header, name], [[*row, value] for row in self.rows])


def hostile(
    folder: str, name: str, body: bytes | str, *reasons: FileReason | None, rows: int | None = None
) -> Hostile:
    data = body.encode() if isinstance(body, str) else body
    return Hostile(f"score/hostile/{folder}/{name}", data, frozenset(reasons), rows)


def lines(objects: Sequence[Json]) -> str:
    return "".join(json.dumps(each) + "\n" for each in objects)


def as_parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()
