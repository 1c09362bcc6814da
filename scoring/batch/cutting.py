"""Uploads of CSV and JSON Lines, cut into parts between two of their records.

What an upload is not is said as `score_upload` says it, before or while it is cut: the reader says it of
the file, and the model of the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from contract.parts import MAX_PART_BYTES, Part
from contract.reasons import Unscorable
from contract.serving import MAX_REQUEST_BYTES
from scoring.server.predictor import Predictor
from scoring.upload.formats.delimited import check_columns
from scoring.upload.formats.table import check_name, row_too_large
from tabular import blocks
from tabular.blocks import Block
from tabular.formats import delimited, jsonlines
from tabular.formats.detection import Format
from tabular.formats.encoding import encoding_of, texts
from tabular.formats.records import csv_record
from tabular.formats.streams import Peekable

ROWS_BYTES = 6_000_000
"""Of a part: of fewer than 5 MiB, S3 does not copy the answer into the result."""
SHORT_BYTES = 512 * 1024
"""A header of fewer leaves room for any record that `blocks.read` does not show to be checked."""
LONG_BYTES = MAX_REQUEST_BYTES // 2
"""An object of more may be too large beside all names."""


class Cut(NamedTuple):
    """A part as a request, how many rows it has, and what it says of itself."""

    body: bytes
    rows: int
    part: Part | None = None


def csv_parts(
    stream: Peekable, predictor: Predictor, *, compressed: bool, rows_bytes: int = ROWS_BYTES
) -> Iterator[Cut]:
    """The parts of a CSV.

    Raises:
        Unscorable: it is not this model's table.
    """
    table = delimited.read(stream, predictor.contract.feature_names)
    check_columns(table)
    mark = table.encoding.mark.decode(table.encoding.codec)
    part = Part(
        format=Format.CSV,
        codec=table.encoding.codec,
        compressed=compressed,
        header=csv_record(table.columns, table.delimiter).decode(),
        delimiter=table.delimiter,
        opening=mark + table.announcement + "\n" * bool(table.announcement),
    )
    header = csv_record(table.columns) + b"\n"
    width = len(table.columns)

    def check(line: int, fields: list[str]) -> None:
        own = csv_record(fields[:width] + [""] * (width - len(fields)))
        if len(header) + len(own) + 1 > MAX_REQUEST_BYTES:
            raise row_too_large(line, len(header) + len(own) + 1)

    read = blocks.read if len(header) < SHORT_BYTES else blocks.written_anew
    found = read(table.text, table.delimiter, table.body_line, check)
    first = next(found, None)
    if first is None:
        raise delimited.header_only(table.header_line)
    _check_features(predictor, tuple(table.columns), table.header_line)
    yield from _parts(part, _and_then(first, found), rows_bytes)


def json_lines_parts(
    stream: Peekable, predictor: Predictor, *, compressed: bool, rows_bytes: int = ROWS_BYTES
) -> Iterator[Cut]:
    """The parts of a file of JSON Lines. Of it as a whole, only its end can be refused.

    Raises:
        Unscorable: it is not this model's table.
    """
    encoding = encoding_of(stream)
    columns, long = jsonlines.Columns(), list[tuple[int, int]]()
    part = Part(
        format=Format.JSON_LINES,
        codec=encoding.codec,
        compressed=compressed,
        opening=encoding.mark.decode(encoding.codec),
    )

    def lines() -> Iterator[Block]:
        for number, own in jsonlines.objects(texts(stream, encoding), columns):
            if len(own) > LONG_BYTES:
                long.append((number, len(own) + 1))
            yield Block(own + b"\n", 1, 0)

    yield from _parts(part, lines(), rows_bytes)
    for name, line in columns.names.items():
        check_name(name, line)
    names = predictor.contract.feature_names
    _check_features(predictor, tuple(name for name in names if name in columns.names), None)
    header = len(jsonlines.header(columns.names))
    for line, size in long:
        if header + size > MAX_REQUEST_BYTES:
            raise row_too_large(line, header + size)


CUTTERS: dict[Format, Callable[..., Iterator[Cut]]] = {
    Format.CSV: csv_parts,
    Format.JSON_LINES: json_lines_parts,
}


def _check_features(predictor: Predictor, header: tuple[str, ...], line: int | None) -> None:
    try:
        predictor.reader(header)
    except Unscorable as why:
        raise replace(why, byte=None, line=line) from why


def _and_then(first: Block, others: Iterator[Block]) -> Iterator[Block]:
    yield first
    yield from others


def _parts(part: Part, found: Iterator[Block], rows_bytes: int) -> Iterator[Cut]:
    """Blocks of consecutive lines, as parts of about one size."""
    held: list[Block] = []
    size, line = 0, 0
    for block in found:
        if held and (size + len(block.text) > rows_bytes or block.line != line):
            yield _cut(part, held)
            part, held, size = replace(part, opening=None), [], 0
        held.append(block)
        size += len(block.text)
        line = block.line + (blocks.line_ends(block.text) if block.line else 0)
    if held:
        yield _cut(part, held)


def _cut(part: Part, held: list[Block]) -> Cut:
    part = replace(part, line=held[0].line)
    body = part.framed(b"".join(block.text for block in held))
    if len(body) > MAX_PART_BYTES:
        raise row_too_large(part.line, len(body))
    return Cut(body, sum(block.rows for block in held), part)
