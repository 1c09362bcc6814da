"""From CSV records to the table that an upload is, and to the requests that score it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase

from contract.reasons import FileReason, Rejection, RowReason, Unscorable
from contract.serving import MAX_REQUEST_BYTES, is_result_column
from lambdas.score_upload.text import csv_record, records

CHUNK_BYTES = 1024 * 1024
CHUNK_ROWS = 1000
"""Also bounds the answer, which SageMaker limits as it does the request."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: its own fields as CSV (as many as the header's), and the line it begins on.

    `flaw` says why it must not be scored, if so.
    """

    line: int
    own: bytes
    flaw: Rejection | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """An upload's columns, and its rows as they are read."""

    columns: list[str]
    rows: Iterator[Row]


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Consecutive rows, and the request that asks for their predictions."""

    rows: list[Row]
    body: bytes


def read_table(stream: BufferedIOBase) -> Table:
    """Read the header; the rows follow as they are asked for.

    Raises:
        Unscorable: here or while the rows are read, where the bytes are no table with a usable header.
    """
    found = records(stream, MAX_REQUEST_BYTES)
    _, columns = next(found, (0, []))
    if not columns:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file holds no header and no rows.")
    _check_columns(columns)
    return Table(columns=columns, rows=_rows(found, columns))


def _check_columns(columns: list[str]) -> None:
    name, count = Counter(columns).most_common(1)[0]
    if count > 1:
        raise Unscorable(
            code=FileReason.DUPLICATE_COLUMN,
            message=f"The header names the column {name!r} {count} times.",
            column=name,
            line=1,
        )
    for name in filter(is_result_column, columns):
        raise Unscorable(
            code=FileReason.RESERVED_COLUMN,
            message=f"The result adds a column {name!r}, so that the upload may not have one.",
            column=name,
            line=1,
        )


def _rows(found: Iterator[tuple[int, list[str]]], columns: list[str]) -> Iterator[Row]:
    empty = True
    for line, fields in found:
        empty = False
        yield _row(line, fields, len(columns))
    if empty:
        raise Unscorable(
            code=FileReason.HEADER_ONLY, message="The file holds a header but no rows under it.", line=1
        )


def _row(line: int, fields: list[str], width: int) -> Row:
    if len(fields) == width:
        return Row(line=line, own=csv_record(fields))
    message = f"line {line} has {len(fields)} of {width} fields"
    if len(fields) > width:
        message += f"; the surplus: {csv_record(fields[width:]).decode()}"
    # Padded or cut, so that request and answer stay row by row; its answer is overruled by the flaw.
    return Row(
        line=line,
        own=csv_record(fields[:width] + [""] * (width - len(fields))),
        flaw=Rejection(code=RowReason.WRONG_FIELD_COUNT, column="", message=message),
    )


def chunks(table: Table, *, max_bytes: int = CHUNK_BYTES, max_rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """The table's rows in order, as requests of about `max_bytes` and at most `max_rows`.

    Raises:
        Unscorable: a row and the header together do not fit in one request.
    """
    header = csv_record(table.columns) + b"\n"
    rows: list[Row] = []
    body = bytearray(header)
    for row in table.rows:
        line = row.own + b"\n"
        if len(header) + len(line) > MAX_REQUEST_BYTES:
            raise Unscorable(
                code=FileReason.ROW_TOO_LARGE,
                message=f"Line {row.line} and the header exceed {MAX_REQUEST_BYTES:,} bytes, one request.",
                line=row.line,
            )
        if rows and (len(rows) == max_rows or len(body) + len(line) > max_bytes):
            yield Chunk(rows=rows, body=bytes(body))
            rows, body = [], bytearray(header)
        rows.append(row)
        body += line
    if rows:
        yield Chunk(rows=rows, body=bytes(body))
