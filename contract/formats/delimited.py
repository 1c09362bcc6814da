"""CSV with any of four delimiters."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from io import StringIO
from typing import NamedTuple

from contract.formats.encoding import Encoding, encoding_of, texts
from contract.formats.records import records
from contract.formats.streams import Peekable
from contract.reasons import FileReason, Unscorable
from contract.serving import MAX_REQUEST_BYTES

DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_BYTES = 64 * 1024


class Delimited(NamedTuple):
    """A header, and the records under it, each with the line it begins on (the header's is 1)."""

    columns: list[str]
    records: Iterator[tuple[int, list[str]]]
    delimiter: str
    encoding: Encoding


def read(stream: Peekable, names: Collection[str]) -> Delimited:
    """Read the header; the records follow as they are asked for. `names` are those it likely has.

    Raises:
        Unscorable: here or while the records are read, where the bytes are no table with rows.
    """
    encoding = encoding_of(stream)
    delimiter = delimiter_of(_beginning(stream, encoding), names)
    found = records(texts(stream, encoding), MAX_REQUEST_BYTES, delimiter)
    _, columns = next(found, (0, []))
    if not columns:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file holds no header and no rows.")
    return Delimited(columns, _one_or_more(found), delimiter, encoding)


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


def _one_or_more(found: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    empty = True
    for record in found:
        empty = False
        yield record
    if empty:
        raise Unscorable(
            code=FileReason.HEADER_ONLY, message="The file holds a header but no rows under it.", line=1
        )
