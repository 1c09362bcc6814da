"""From text to CSV records, in memory bounded by the largest record."""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Generator, Iterator, Sequence
from io import StringIO

from contract.reasons import FileReason, Unscorable

csv.field_size_limit(2**31 - 1)  # `records` limits whole records itself

_LINE_END = re.compile(r"\r\n|\n|\r(?=[^\n])")  # a "\r" that comes last may be half of one
_NEWLINE = re.compile(r"\r\n|\r|\n")


def csv_record(fields: Sequence[str], delimiter: str = ",") -> bytes:
    """One record as CSV in UTF-8, without the end of its line."""
    plain = delimiter.join(fields)
    if plain.count(delimiter) == len(fields) - 1 > 0 and not any(sign in plain for sign in '"\r\n'):
        return plain.encode()  # as the writer would write it, several times as fast
    line = StringIO()
    # With "\r\n" as its terminator the writer quotes a lone "\r" too.
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(fields)
    return line.getvalue()[:-2].encode()


def records(
    texts: Iterator[str], limit: int, delimiter: str = ",", line: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV with the line each begins on. Blank lines are none. `line` is the text's first.

    Raises:
        Unscorable: not CSV, or a record of more than `limit` characters.
    """
    return records_of(lines(texts, limit, line), limit, delimiter, line)


def records_of(
    lines: Iterator[str], limit: int, delimiter: str, line: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """The same of lines: no more of them are read than a record has."""
    record_lines = _RecordLines(lines, limit, delimiter)
    reader = csv.reader(record_lines, delimiter=delimiter, strict=True)
    while True:
        record_lines.begin_record(line + reader.line_num)
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            opened = record_lines.line_of_open_quote()
            raise Unscorable(
                code=FileReason.NOT_CSV,
                message=f"The quote that opens on line {opened} is never closed, or text follows it.",
                line=opened,
            ) from error
        if fields:
            yield record_lines.begin, fields


def lines(texts: Iterator[str], limit: int, line: int = 1) -> Generator[str, bool | None]:
    """The lines of a text, of which `line` is the first, each with its end.

    Who sends True gets, instead of the next line, what was read of `texts` already, and nothing more.

    Raises:
        Unscorable: one has more than `limit` characters.
    """
    rest = ""
    for text in texts:
        rest, end = rest + text, 0
        for match in _LINE_END.finditer(rest):
            if (yield rest[end : match.end()]):
                yield rest[match.end() :]
                return
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

    def __init__(self, lines: Iterator[str], limit: int, delimiter: str) -> None:
        self.begin = 1
        self._delimiter = delimiter
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
        whole = _whole_fields(self._delimiter).match(text)
        return self.begin + len(_NEWLINE.findall(text, 0, whole.end() if whole else 0))

    def _too_large(self) -> Unscorable:
        if len(self._record) == 1:
            message = f"Line {self.begin} exceeds the {self._limit:,} bytes of one request."
            return Unscorable(code=FileReason.ROW_TOO_LARGE, message=message, line=self.begin)
        line = self.line_of_open_quote()
        message = f"The quote that opens on line {line} is not closed within {self._limit:,} bytes."
        return Unscorable(code=FileReason.NOT_CSV, message=message, line=line)


@functools.cache
def _whole_fields(delimiter: str) -> re.Pattern[str]:
    end = re.escape(delimiter)
    return re.compile(rf'(?:"(?:[^"]|"")*+"(?=[{end}\r\n]|\Z)|[^"{end}\r\n][^{end}\r\n]*|{end})*')
