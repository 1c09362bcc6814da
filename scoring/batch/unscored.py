"""The result of a CSV of which no row is scored: it has no columns of probabilities, as nobody named them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import IO

from contract.parts import Part
from tabular.formats import compression
from tabular.formats.records import csv_record

_LAST = 2
"""Columns of a result behind the probabilities."""


def write_without_probabilities(
    bodies: Iterable[bytes], file: IO[bytes], *, first: Part, probabilities: int
) -> None:
    """Write the rows of a result, of which `first` is the first part, without so many columns."""
    opening = first.opening or ""
    with compression.writer(file, compressed=first.compressed) as out:
        out.write(opening.encode(first.codec))
        for body in bodies:
            text = (gzip.decompress(body) if first.compressed else body).decode(first.codec)
            for record in _narrowed(text.removeprefix(opening), first.delimiter, probabilities):
                out.write(record.decode().encode(first.codec))
            opening = ""


def _narrowed(text: str, delimiter: str, probabilities: int) -> Iterator[bytes]:
    for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
        yield csv_record([*row[: -_LAST - probabilities], *row[-_LAST:]], delimiter) + b"\n"
