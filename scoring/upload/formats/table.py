"""An upload as a table, whatever its format, and the requests that score it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from contract.reasons import FileReason, Rejection, Unscorable
from contract.serving import MAX_REQUEST_BYTES, is_result_column
from scoring.upload.formats.result import ResultWriter

CHUNK_BYTES = 1024 * 1024
CHUNK_ROWS = 1000
"""Also bounds the answer, which SageMaker limits as it does the request."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row as a request has it, without the end of its line, and the line it begins on.

    `flaw` says why it must not be scored, if so.
    """

    line: int
    own: bytes
    flaw: Rejection | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """An upload's rows as they are read, what a request has above them, and how a result is written.

    `header` is a line of each request; `header_answers` says how many answers it gets: 0 or 1.
    `header_line` is that of the header in the upload, where it has one.
    """

    content_type: str
    header: bytes
    header_is_accepted: int
    header_line: int | None
    rows: Iterator[Row]
    result: Callable[[IO[bytes]], ResultWriter]


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Consecutive rows, and the request that asks for their predictions."""

    rows: list[Row]
    body: bytes


def chunks(
    table: Table,
    *,
    max_bytes: int = CHUNK_BYTES,
    max_rows: int = CHUNK_ROWS,
    request_bytes: int = MAX_REQUEST_BYTES,
) -> Iterator[Chunk]:
    """The table's rows in order, as requests of about `max_bytes` and at most `max_rows`.

    Raises:
        Unscorable: a row and the header together do not fit in one request, or not in one of `request_bytes`.
    """
    rows: list[Row] = []
    body = bytearray(table.header)
    for row in table.rows:
        line = row.own + b"\n"
        if len(table.header) + len(line) > request_bytes:
            raise row_too_large(row.line, len(table.header) + len(line), request_bytes)
        if rows and (len(rows) == max_rows or len(body) + len(line) > max_bytes):
            yield Chunk(rows=rows, body=bytes(body))
            rows, body = [], bytearray(table.header)
        rows.append(row)
        body += line
    if rows:
        yield Chunk(rows=rows, body=bytes(body))


def halves(chunk: Chunk, table: Table) -> tuple[Chunk, Chunk]:
    """The same rows as two requests. There are two rows or more."""
    middle = len(chunk.rows) // 2
    first, second = (
        Chunk(rows=rows, body=table.header + b"".join(row.own + b"\n" for row in rows))
        for rows in (chunk.rows[:middle], chunk.rows[middle:])
    )
    return first, second


def row_too_large(line: int, size: int, request_bytes: int = MAX_REQUEST_BYTES) -> Unscorable:
    """The refusal of a row that takes a request of so many bytes."""
    # What a serverless endpoint does not take, the batch path may.
    code = FileReason.ROW_TOO_LARGE if size > MAX_REQUEST_BYTES else FileReason.TOO_LARGE
    message = f"Line {line} and the column names exceed the {request_bytes:,} bytes of one request."
    return Unscorable(code=code, message=message, line=line)


def check_name(name: str, line: int) -> None:
    """Refuse a column that the result adds.

    Raises:
        Unscorable: it is one.
    """
    if is_result_column(name):
        raise Unscorable(
            code=FileReason.RESERVED_COLUMN,
            message=f"The result adds a column {name!r}, so that the upload may not have one.",
            column=name,
            line=line,
        )
