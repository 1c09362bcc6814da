"""The rows of a training file as text, whatever its format: read by what reads uploads and requests.

A part of the file is what the model server would make of a request: so a model is trained on
what it will be asked to score.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from contract import serving
from tabular import parquet_sandbox
from tabular.columnar import as_csv
from tabular.columns import written
from tabular.formats import delimited, jsonlines
from tabular.formats.detection import Format, opened
from tabular.formats.streams import Peekable
from tabular.json_values import exact_table
from tabular.parquet_decoder import not_parquet
from tabular.requests import parse_csv
from tabular.rows import TextTable

PART_ROWS = 20_000
MAX_BYTES = 2**40
"""Of one file's content; a job's disk and time end long before."""
_COPIED_BYTES = 1 << 20


class FilePart(NamedTuple):
    """Some rows of a file under its header, and the place of each.

    A place is a line, counted from 1 with the header, or in Parquet a row.
    """

    places: list[int]
    table: TextTable


def parts(path: Path, names: Sequence[str]) -> Iterator[FilePart]:
    """Yield a file's rows in order; of JSON Lines and Parquet only the columns of these names.

    Raises:
        Unscorable: here or as the parts are asked for, where the file is no table with rows.
    """
    with path.open("rb") as file:
        stream, form, compressed = opened(path.name, file, max_bytes=MAX_BYTES)
        yield from _READERS[form](stream, None if compressed else path, names)


def columns(path: Path, names: Sequence[str]) -> list[str]:
    """Return all columns of a file, without blanks around their names where those mean nothing.

    `names` are some that it likely has.

    Raises:
        Unscorable: the file is no table.
    """
    with path.open("rb") as file, tempfile.NamedTemporaryFile() as scratch:
        stream, form, _ = opened(path.name, file, max_bytes=MAX_BYTES)
        if form is Format.JSON_LINES:
            return list(jsonlines.read(stream, scratch).names)
        if form is Format.CSV:
            return [name.strip() for name in delimited.read(stream, names).columns]
        _copy(stream, scratch)
        try:
            return [name.strip() for name in pq.read_schema(scratch.name).names]
        except (pa.ArrowException, OSError) as error:
            raise not_parquet(str(error).partition("\n")[0]) from error


def unit(path: Path) -> str:
    """Return the unit that places in a file of this name count: row or line."""
    return "row" if {".parquet", ".pq"} & {*path.suffixes} else "line"


def _csv(stream: Peekable, _path: Path | None, names: Sequence[str]) -> Iterator[FilePart]:
    table = delimited.read(stream, names)
    while records := list(islice(table.records, PART_ROWS)):
        places, rows = map(list, zip(*records, strict=True))
        yield FilePart(places, TextTable(tuple(table.columns), rows))


def _json_lines(stream: Peekable, _path: Path | None, names: Sequence[str]) -> Iterator[FilePart]:
    with tempfile.TemporaryFile() as scratch:
        lines = jsonlines.read(stream, scratch)
        above = jsonlines.header(lines.names)
        while some := list(islice(lines.objects, PART_ROWS)):
            places, objects = zip(*some, strict=True)
            table = exact_table(serving.JSON_LINES, above + b"\n".join(objects), names)
            # The first object is that of all names: no row.
            nested = [refusal._replace(row=refusal.row - 1) for refusal in table.nested]
            rows = [
                [*map(written, row)] for row in zip(*(column[1:] for column in table.columns), strict=True)
            ]
            yield FilePart(list(places), TextTable(table.header, rows, nested))


def _parquet(stream: Peekable, path: Path | None, names: Sequence[str]) -> Iterator[FilePart]:
    with tempfile.NamedTemporaryFile() as copy:
        if path is None:
            _copy(stream, copy)
        before = 0
        for batch in parquet_sandbox.decode_file(path or Path(copy.name), names):
            table = parse_csv(as_csv(batch, names))
            yield FilePart([*range(before + 1, before + 1 + len(table.rows))], table)
            before += len(table.rows)


def _copy(stream: Peekable, file: IO[bytes]) -> None:
    while data := stream.read(_COPIED_BYTES):
        file.write(data)
    file.flush()


Reader = Callable[[Peekable, Path | None, Sequence[str]], Iterator[FilePart]]

_READERS: dict[Format, Reader] = {
    Format.CSV: _csv,
    Format.JSON_LINES: _json_lines,
    Format.PARQUET: _parquet,
}
