"""A CSV file as blocks of whole rows, in memory that does not grow with it.

While nothing is quoted a block is its lines, as they are; from the first quote on it is
rows that Python's reader has parsed. Neither is blank.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import IO

from contract.reasons import FileReason, Unscorable

Lines = bytes
Rows = list[list[str]]

BLOCK_BYTES = 1 << 21
BLOCK_ROWS = 10_000

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(source: IO[bytes], size: int = BLOCK_BYTES) -> tuple[list[str], Iterator[Lines | Rows]]:
    """The header, and the other rows of a UTF-8 CSV in blocks of about `size` bytes.

    Raises:
        Unscorable: here or as the blocks are asked for, where the file is no such thing.
    """
    first = source.readline().removeprefix(_BYTE_ORDER_MARK)
    while first and not first.strip(b"\r\n"):
        first = source.readline()
    if not first:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file holds no header and no rows.")
    if b'"' in first or b"\r" in first.removesuffix(b"\r\n"):
        rows = _parsed(first, source)
        return next(rows), _in_blocks(rows)
    return _text(first, 0).rstrip("\r\n").split(","), _lines(source, size, len(first))


def _lines(source: IO[bytes], size: int, offset: int) -> Iterator[Lines | Rows]:
    rest = b""
    while data := source.read(size):
        data = rest + data
        if b'"' in data or (b"\r" in data and _holds_lone_return(data)):
            yield from _in_blocks(_parsed(data, source))
            return
        ends = data.rfind(b"\n") + 1
        rest = data[ends:]
        if lines := _checked(data[:ends], offset):
            yield lines
        offset += ends
    if lines := _checked(rest, offset):
        yield lines


def _checked(lines: bytes, offset: int) -> bytes:
    """Lines in UTF-8 that end in a line feed each; nothing where all are blank."""
    _text(lines, offset)
    if b"\r" in lines:
        lines = lines.replace(b"\r\n", b"\n")
    return lines if lines.strip(b"\n") else b""


def _holds_lone_return(data: bytes) -> bool:
    """Whether a carriage return has no line feed after it. One at the end may have it yet."""
    return data.count(b"\r") > data.count(b"\r\n") + data.endswith(b"\r")


def _text(data: bytes, offset: int) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        at = offset + error.start
        message = f"The byte {data[error.start]:#04x} at offset {at} is not UTF-8."
        raise Unscorable(code=FileReason.UNDECODABLE, message=message, byte=at) from None


def _parsed(begin: bytes, source: IO[bytes]) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BufferedReader(_Joined(begin, source)), "utf-8", newline="")
    rows = csv.reader(text, strict=True)
    try:
        yield from filter(None, rows)
    except (csv.Error, UnicodeDecodeError) as error:
        code = FileReason.NOT_CSV if isinstance(error, csv.Error) else FileReason.UNDECODABLE
        message = f"{rows.line_num} lines after the first quote the file is not CSV in UTF-8: {error}."
        raise Unscorable(code=code, message=message) from error


def _in_blocks(rows: Iterator[list[str]]) -> Iterator[Rows]:
    while block := list(islice(rows, BLOCK_ROWS)):
        yield block


class _Joined(io.RawIOBase):
    """What was read of a stream already, and then the rest of it."""

    def __init__(self, begin: bytes, source: IO[bytes]) -> None:
        self._begin = io.BytesIO(begin)
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # always a view
        data = self._begin.read(len(buffer)) or self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
