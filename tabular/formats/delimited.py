"""CSV with any of four delimiters, or the one that Excel names."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from io import StringIO
from typing import NamedTuple

from contract.reasons import FileReason, Unscorable
from contract.serving import MAX_REQUEST_BYTES
from tabular.formats.encoding import Encoding, encoding_of, texts
from tabular.formats.records import records
from tabular.formats.streams import Peekable

DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_BYTES = 64 * 1024
_ANNOUNCED = re.compile(r'("?)sep=(\t|[^\w\s"])\1(?=[\r\n])', re.IGNORECASE)
"""Excel's own first line. It is no record: it says which delimiter the others have."""


class Delimited(NamedTuple):
    """A header, and the records under it, each with the line it begins on.

    `announcement` is the line in which Excel named the delimiter, without its end; empty if there is none.
    """

    columns: list[str]
    header_line: int
    records: Iterator[tuple[int, list[str]]]
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
    found = records(texts(stream, encoding), MAX_REQUEST_BYTES, delimiter)
    if announced:
        next(found)
    line, columns = next(found, (1, []))
    if not columns:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file holds no header and no rows.")
    return Delimited(
        columns=columns,
        header_line=line,
        records=_one_or_more(found, line),
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


def _one_or_more(found: Iterator[tuple[int, list[str]]], header_line: int) -> Iterator[tuple[int, list[str]]]:
    empty = True
    for record in found:
        empty = False
        yield record
    if empty:
        raise Unscorable(
            code=FileReason.HEADER_ONLY,
            message="The file holds a header but no rows under it.",
            line=header_line,
        )
