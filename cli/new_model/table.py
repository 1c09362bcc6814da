"""Reading a CSV of unknown make in bounded memory, or saying why it is none."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import CliError

if TYPE_CHECKING:
    from _csv import Reader

CHUNK_ROWS = 8192
DELIMITERS = (",", ";", "\t", "|")
MAGIC = {
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzipped file",
    b"PK\x03\x04": "a workbook or zip archive",
}


class NotATableError(CliError):
    """The file cannot be read as CSV. The message says what it is instead, or where it goes wrong."""


@dataclass(frozen=True)
class Table:
    """A CSV file: its header at once, its rows when asked for."""

    path: Path
    delimiter: str
    header: tuple[str, ...]

    @classmethod
    def open(cls, path: Path) -> Table:
        """Find out the delimiter and read the header.

        Raises:
            NotATableError: there is no such file, it is empty or binary, or two columns share a name.
        """
        headers = {delimiter: _header(path, delimiter) for delimiter in DELIMITERS}
        delimiter = max(DELIMITERS, key=lambda each: len(headers[each]))
        header = headers[delimiter]
        if not header:
            raise NotATableError(f"{path} is empty: it needs a header line and rows.")
        if any("\0" in name for name in header):
            raise NotATableError(f"{path} is not text: save the table as CSV in UTF-8.")
        twice = next((name for name in header if header.count(name) > 1), None)
        if twice is not None:
            raise NotATableError(f"{path} has two columns called {twice!r}: rename or remove one.")
        return cls(path, delimiter, header)

    def chunks(self) -> Iterator[list[tuple[str, ...]]]:
        """The columns, in the header's order, of at most `CHUNK_ROWS` rows at a time.

        Raises:
            NotATableError: a row has another number of fields, or is not text.
        """
        with _read(self.path, self.delimiter) as reader:
            next(reader)
            rows = filter(None, reader)  # csv gives an empty list for a blank line
            while chunk := list(islice(rows, CHUNK_ROWS)):
                if any(len(row) != len(self.header) for row in chunk):
                    raise NotATableError(self._ragged())
                yield list(zip(*chunk, strict=True))

    def _ragged(self) -> str:
        width = len(self.header)
        with _read(self.path, self.delimiter) as reader:
            line, fields = next((reader.line_num, len(row)) for row in reader if len(row) not in (0, width))
        return (
            f"{self.path} line {line} has {fields} fields and its header has {width}: "
            f"quote values that hold a {self.delimiter!r}, or mend the line."
        )


@contextmanager
def _read(path: Path, delimiter: str) -> Iterator[Reader]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            yield reader
    except UnicodeDecodeError as error:
        raise NotATableError(_not_text(path, error)) from error
    except csv.Error as error:
        where = f"{path} line {reader.line_num}"
        raise NotATableError(
            f"{where} is not CSV ({error}): close quotes, and double those in values."
        ) from error
    except OSError as error:
        raise NotATableError(f"{path} cannot be read: {error.strerror}.") from error


def _header(path: Path, delimiter: str) -> tuple[str, ...]:
    try:
        with _read(path, delimiter) as reader:
            return tuple(name.strip() for name in next(reader, ()))
    except NotATableError:
        if delimiter != DELIMITERS[0]:
            return ()  # quotes that do not fit this delimiter
        raise


def _not_text(path: Path, error: UnicodeDecodeError) -> str:
    with path.open("rb") as stream:
        start = stream.read(4)
    kind = next((name for magic, name in MAGIC.items() if start.startswith(magic)), None)
    found = kind or f"not UTF-8 text (byte 0x{error.object[error.start]:02x})"
    return f"{path} is {found}: save the table as CSV in UTF-8."
