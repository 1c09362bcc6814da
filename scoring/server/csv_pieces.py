"""Records of a part of CSV as a model reads them, and as their result has them.

Lines without quotes are never taken apart into Python's objects: they are found in the bytes, and come out
as they went in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.serving import MAX_REQUEST_BYTES
from scoring.server.response_rows import Reason
from tabular.cells import STEP, split
from tabular.formats.delimited import field_count_rejection
from tabular.formats.records import csv_record, records
from tabular.matrix import CodedRows, MatrixReader
from tabular.rows import TableRead


class CsvPiece(NamedTuple):
    """Some records: read, and as text that begins with a line feed each.

    `ragged` has a reason for each that has not as many fields as the header, by its place.
    """

    table: TableRead[CodedRows]
    lines: pa.StringArray
    ragged: Mapping[int, Reason]

    def joined(self, ends: Sequence[str]) -> memoryview:
        """The records with what follows them, each with a line feed at its end, but for the last."""
        joined = pc.binary_join_element_wise(self.lines, pa.array(ends, pa.string()), "")
        _, offsets, text = joined.buffers()
        return memoryview(text)[1 : np.frombuffer(offsets, np.int32)[len(joined)]]


def read(piece: bytes, delimiter: str, line: int, reader: MatrixReader) -> CsvPiece:
    """Read whole records, of which the first begins on a line.

    Raises:
        Unscorable: they are not CSV.
    """
    if b'"' not in piece and reader.width > 1 and len(delimiter.encode()) == 1:
        plain = piece.replace(b"\r\n", b"\n")
        if b"\r" not in plain:
            return _read_plain(plain, delimiter, line, reader)
    found = list(records(iter([piece.decode()]), MAX_REQUEST_BYTES, delimiter, line))
    ragged = {
        i: _reason(place, fields, reader.width)
        for i, (place, fields) in enumerate(found)
        if len(fields) != reader.width
    }
    rows = [fields for _, fields in found]
    lines = [_line(row, reader.width, delimiter) for row in rows]
    return CsvPiece(reader.read_table(rows), pa.array(lines, pa.string()), ragged)


def _read_plain(piece: bytes, delimiter: str, line: int, reader: MatrixReader) -> CsvPiece:
    cells = split(piece, reader.width, delimiter.encode())
    data = b"\n" + piece.removesuffix(b"\n")
    begins = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    offsets = np.append(begins, len(data)).astype(np.int32)
    lines = pa.StringArray.from_buffers(len(begins), pa.py_buffer(offsets), pa.py_buffer(data))
    not_blank = np.flatnonzero(np.diff(offsets) > 1)
    if len(not_blank) < len(begins):
        lines = lines.take(pa.array(not_blank))
    ragged: dict[int, Reason] = {}
    if cells.ragged:
        texts = lines.to_pylist()
        for i in cells.ragged:
            fields = texts[i][1:].split(delimiter)
            ragged[i] = _reason(line + int(not_blank[i]), fields, reader.width)
            texts[i] = _line(fields, reader.width, delimiter)
        lines = pa.array(texts, pa.string())
    table = TableRead(reader.read_cells(cells.texts, STEP), cells.ragged, reader.width)
    return CsvPiece(table, lines, ragged)


def _line(row: list[str], width: int, delimiter: str) -> str:
    """A row's own fields after a line feed, cut or padded to the header's width."""
    fields = row if len(row) == width else row[:width] + [""] * (width - len(row))
    return "\n" + csv_record(fields, delimiter).decode()


def _reason(line: int, fields: list[str], width: int) -> Reason:
    return asdict(field_count_rejection(line, fields, width))
