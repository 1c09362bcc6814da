"""CSV as blocks of whole records: found with a few scans of their bytes, and not taken apart.

That is possible where every quote opens or closes a field, and every record ends with a line feed. Other
text is read record by record and written anew, so that all blocks are regular: of UTF-8, each record
as it was or as `csv_record` writes it, and each on the line on which it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.serving import MAX_REQUEST_BYTES
from tabular.formats.records import csv_record, records

MAX_REST_BYTES = 1024 * 1024
"""Of a record that has not ended: longer ones are read as records, which knows what is wrong with them."""
BLOCK_BYTES = 256 * 1024
"""Of records that are written anew."""

_QUOTE, _NEWLINE, _RETURN = b'"\n\r'
Check = Callable[[int, list[str]], None]


class Block(NamedTuple):
    """Whole records, how many they are, and the line on which the first begins.

    Blank lines between two blocks may be in neither.
    """

    text: bytes
    rows: int
    line: int


def read(texts: Iterator[str], delimiter: str, line: int, check: Check) -> Iterator[Block]:
    """The records of a text that begins with one, on this line.

    `check` is shown each record that is not certainly short, with its line.

    Raises:
        Unscorable: the text is not CSV, or `check` does.
    """
    rest = b""
    for text in chain(texts, [None]):
        data = rest + (b"" if text is None else text.encode())
        closed = data + b"\n" if text is None and rest and not rest.endswith(b"\n") else data
        ends = record_ends(closed, delimiter)
        end = 0 if ends is None or not len(ends) else int(ends[-1]) + 1
        if ends is None or len(closed) - end > (0 if text is None else MAX_REST_BYTES):
            yield from written_anew(chain([data.decode()], texts), delimiter, line, check)
            return
        rest = data[end:]
        if rows := _not_blank(closed, ends):
            yield Block(closed[:end], rows, line)
        line += line_ends(closed[:end])


def written_anew(texts: Iterator[str], delimiter: str, line: int, check: Check) -> Iterator[Block]:
    """The same of any text, more slowly: every record is read, checked and written."""
    begin, text, rows = line, bytearray(), 0
    for place, fields in records(texts, MAX_REQUEST_BYTES, delimiter, line):
        check(place, fields)
        record = csv_record(fields, delimiter) + b"\n"
        blank = place - line
        if rows and (len(text) + blank + len(record) > BLOCK_BYTES):
            yield Block(bytes(text), rows, begin)
            text.clear()
            begin, blank, rows = place, 0, 0
        elif not rows:
            begin, blank = place, 0
        text += b"\n" * blank + record
        line = place + line_ends(record)
        rows += 1
    if rows:
        yield Block(bytes(text), rows, begin)


def pieces(data: bytes, delimiter: str, size: int) -> Iterator[bytes]:
    """The records of a block in pieces of about so many bytes."""
    begin = 0
    while begin < len(data):
        taken, ends = 0, None
        while not (ends is not None and len(ends)) and begin + taken < len(data):
            taken += size
            ends = record_ends(data[begin : begin + taken], delimiter)
        end = len(data) if ends is None or not len(ends) else begin + int(ends[-1]) + 1
        yield data[begin:end]
        begin = end


def record_ends(data: bytes, delimiter: str) -> NDArray[np.int64] | None:
    """Where the line feeds are that end records, in text that begins with one; None if it is not regular."""
    codes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(codes == _NEWLINE)
    returns = np.empty(0, np.int64)
    if b"\r" in data and data.count(b"\r") > data.count(b"\r\n") + data.endswith(b"\r"):
        returns = np.flatnonzero(codes[:-1] == _RETURN)
        returns = returns[codes[returns + 1] != _NEWLINE]
    if b'"' not in data:
        return None if len(returns) else ends
    quotes = np.flatnonzero(codes == _QUOTE)
    if not _regular(codes, quotes, delimiter.encode()) or not _within(quotes, returns).all():
        return None
    return ends[~_within(quotes, ends)]


def line_ends(data: bytes) -> int:
    """How many lines end in some whole records."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _within(quotes: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.bool_]:
    within: NDArray[np.bool_] = np.searchsorted(quotes, places) % 2 == 1
    return within


def _regular(codes: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: bytes) -> bool:
    """Whether each quote opens a field or closes it, if it does not stand for one with its neighbour."""
    if len(delimiter) > 1:
        return False
    beside = np.zeros(256, bool)
    beside[[*delimiter, _NEWLINE, _RETURN, _QUOTE]] = True
    before, after = quotes[::2] - 1, quotes[1::2] + 1
    places = [before[before >= 0], after[after < len(codes)]]
    return bool(beside[codes[np.concatenate(places)]].all())


def _not_blank(data: bytes, ends: NDArray[np.int64]) -> int:
    """How many of the records that end here are more than the end of their line."""
    if not len(ends):
        return 0
    sizes = np.diff(ends, prepend=-1)
    returns = np.frombuffer(data, np.uint8)[ends - 1] == _RETURN
    return len(ends) - int(np.count_nonzero((sizes == 1) | ((sizes == 2) & returns)))
