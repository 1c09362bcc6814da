"""CSV with any of four delimiters, or the one that Excel names."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Generator, Iterator, Sequence
from io import StringIO
from typing import NamedTuple

from contract.reasons import FileReason, Rejection, RowReason, Unscorable
from contract.serving import MAX_REQUEST_BYTES
from tabular.formats.encoding import Encoding, encoding_of, texts
from tabular.formats.records import csv_record, lines, records_of
from tabular.formats.streams import Peekable

DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_BYTES = 64 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")
_ANNOUNCED = re.compile(r'("?)sep=(\t|[^\w\s"])\1(?=[\r\n])', re.IGNORECASE)
"""Excel's own first line. It is no record: it says which delimiter the others have."""


class Delimited(NamedTuple):
    """A header, and the records under it, each with the line it begins on.

    `text` is what the records are in, from the line `body_line` on, for who reads that instead.
    `announcement` is the line in which Excel named the delimiter, without its end; empty if there is none.
    """

    columns: list[str]
    header_line: int
    body_line: int
    records: Iterator[tuple[int, list[str]]]
    text: Iterator[str]
    announcement: str
    delimiter: str
    encoding: Encoding


def read(stream: Peekable, names: Collection[str]) -> Delimited:
    """Read the header; the records follow as they are asked for. `names` are those it likely has.

    Raises:
        Unscorable: here or while the records are read, where the bytes are no table with rows.
    """
    encoding = encoding_of(stream)
    beginning = _beginning(stream, encoding)
    announced = _ANNOUNCED.match(beginning)
    delimiter = announced[2] if announced else delimiter_of(beginning, names)
    decoded = texts(stream, encoding)
    found_lines = lines(decoded, MAX_REQUEST_BYTES)
    found = records_of(found_lines, MAX_REQUEST_BYTES, delimiter)
    if announced:
        next(found)
    line, columns = next(found, (1, []))
    if not columns:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file holds no header and no rows.")
    return Delimited(
        columns=columns,
        header_line=line,
        body_line=line + 1 + sum(len(_LINE_END.findall(column)) for column in columns),
        records=_one_or_more(found, line),
        text=_rest(found_lines, decoded),
        announcement=announced[0] if announced else "",
        delimiter=delimiter,
        encoding=encoding,
    )


def delimiter_of(beginning: str, names: Collection[str]) -> str:
    """The delimiter with which a header has the most of these names; if it has none, the most columns.

    Of equals it is the first of `DELIMITERS`.
    """
    headers = {delimiter: _header(beginning, delimiter) for delimiter in DELIMITERS}
    known = {delimiter: len({*header} & {*names}) for delimiter, header in headers.items()}
    if any(known.values()):
        return max(DELIMITERS, key=known.__getitem__)
    return max(DELIMITERS, key=lambda delimiter: len(headers[delimiter]))


def _header(beginning: str, delimiter: str) -> list[str]:
    reader = csv.reader(StringIO(beginning, newline=""), delimiter=delimiter)
    # A tab may be a delimiter: only spaces around a name mean nothing here.
    return [column.strip(" ") for column in next(filter(None, reader), [])]


def _beginning(stream: Peekable, encoding: Encoding) -> str:
    head = stream.peek(_SNIFFED_BYTES).removeprefix(encoding.mark)
    return head.decode(encoding.codec, errors="replace")


def _rest(read: Generator[str, bool | None], texts: Iterator[str]) -> Iterator[str]:
    try:
        yield read.send(True)
    except StopIteration:
        return
    yield from texts


def _one_or_more(found: Iterator[tuple[int, list[str]]], header_line: int) -> Iterator[tuple[int, list[str]]]:
    empty = True
    for record in found:
        empty = False
        yield record
    if empty:
        raise header_only(header_line)


def header_only(line: int) -> Unscorable:
    """The refusal of a file that has nothing under its header."""
    message = "The file holds a header but no rows under it."
    return Unscorable(code=FileReason.HEADER_ONLY, message=message, line=line)


def field_count_rejection(line: int, fields: Sequence[str], width: int) -> Rejection:
    """Why a row is not scored that has more or fewer fields than the header's `width`."""
    message = f"line {line} has {len(fields)} of {width} fields"
    if len(fields) > width:
        message += f"; the surplus: {csv_record(fields[width:]).decode()}"
    return Rejection(code=RowReason.WRONG_FIELD_COUNT, column="", message=message)
