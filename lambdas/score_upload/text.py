"""From bytes to CSV records, in memory bounded by the largest record."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from io import BufferedIOBase, StringIO

from contract.reasons import FileReason, Unscorable

READ_BYTES = 256 * 1024

csv.field_size_limit(2**31 - 1)  # `records` limits whole records itself

_LINE_END = re.compile(r"\r\n|\n|\r(?=[^\n])")  # a "\r" that comes last may be half of one
_NEWLINE = re.compile(r"\r\n|\r|\n")
_WHOLE_FIELDS = re.compile(r'(?:"(?:[^"]|"")*+"(?=[,\r\n]|\Z)|[^",\r\n][^,\r\n]*|,)*')


def csv_record(fields: list[str]) -> bytes:
    """One record as CSV in UTF-8, without the end of its line."""
    line = StringIO()
    # With "\r\n" as its terminator the writer quotes a lone "\r" too.
    csv.writer(line, lineterminator="\r\n").writerow(fields)
    return line.getvalue()[:-2].encode()


def records(stream: BufferedIOBase, limit: int) -> Iterator[tuple[int, list[str]]]:
    """The records of a UTF-8 CSV with the line (from 1) each begins on. Blank lines are none.

    Raises:
        Unscorable: not UTF-8, not CSV, or a record of more than `limit` characters.
    """
    lines = _RecordLines(_lines(_text(stream), limit), limit)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.begin_record(reader.line_num + 1)
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = lines.line_of_open_quote()
            raise Unscorable(
                code=FileReason.NOT_CSV,
                message=f"The quote that opens on line {line} is never closed, or text follows it.",
                line=line,
            ) from error
        if fields:
            yield lines.begin, fields


def _text(stream: BufferedIOBase) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    read, first = 0, True
    while True:
        data = stream.read(READ_BYTES)
        read += len(data)
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            byte = read - len(error.object) + error.start
            raise Unscorable(
                code=FileReason.UNDECODABLE,
                message=f"The byte {error.object[error.start]:#04x} at offset {byte} is not UTF-8.",
                byte=byte,
            ) from error
        if text and first:
            text, first = text.removeprefix("\ufeff"), False
        if not data:
            return
        yield text


def _lines(texts: Iterator[str], limit: int) -> Iterator[str]:
    rest, line = "", 1
    for text in texts:
        rest, end = rest + text, 0
        for match in _LINE_END.finditer(rest):
            yield rest[end : match.end()]
            end, line = match.end(), line + 1
        rest = rest[end:]
        if len(rest) > limit:
            raise Unscorable(
                code=FileReason.ROW_TOO_LARGE,
                message=f"Line {line} exceeds the {limit:,} bytes of one request.",
                line=line,
            )
    if rest:
        yield rest


class _RecordLines:
    """Lines on their way to `csv.reader`, keeping those of the record it is reading."""

    def __init__(self, lines: Iterator[str], limit: int) -> None:
        self.begin = 1
        self._lines = lines
        self._limit = limit
        self._record: list[str] = []
        self._size = 0

    def begin_record(self, line: int) -> None:
        self.begin, self._size = line, 0
        self._record.clear()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._record.append(line)
        self._size += len(line)
        if self._size > self._limit:
            raise self._too_large()
        return line

    def line_of_open_quote(self) -> int:
        """The line on which the field begins that does not end as CSV wants it."""
        text = "".join(self._record)
        whole = _WHOLE_FIELDS.match(text)
        return self.begin + len(_NEWLINE.findall(text, 0, whole.end() if whole else 0))

    def _too_large(self) -> Unscorable:
        if len(self._record) == 1:
            message = f"Line {self.begin} exceeds the {self._limit:,} bytes of one request."
            return Unscorable(code=FileReason.ROW_TOO_LARGE, message=message, line=self.begin)
        line = self.line_of_open_quote()
        message = f"The quote that opens on line {line} is not closed within {self._limit:,} bytes."
        return Unscorable(code=FileReason.NOT_CSV, message=message, line=line)
