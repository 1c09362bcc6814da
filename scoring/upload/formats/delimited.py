"""CSV: any delimiter in, the same delimiter out."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from io import StringIO, TextIOWrapper
from typing import IO

from contract import serving
from contract.reasons import FileReason, Unscorable
from scoring.upload.formats.result import ResultWriter
from scoring.upload.formats.table import Row, Table, check_name
from tabular.formats import delimited
from tabular.formats.delimited import Delimited
from tabular.formats.records import csv_record
from tabular.formats.streams import Peekable


def read_table(stream: Peekable, *, features: Collection[str], scratch: IO[bytes]) -> Table:
    """Read the header; the rows follow as they are asked for.

    `features` are the names that the header likely has; `scratch` is for the result's writer.

    Raises:
        Unscorable: here or while the rows are read, where the bytes are no table with a usable header.
    """
    found = delimited.read(stream, features)
    check_columns(found)
    width = len(found.columns)
    return Table(
        content_type=serving.CSV,
        header=csv_record(found.columns) + b"\n",
        header_is_accepted=0,
        header_line=found.header_line,
        rows=(_row(line, fields, width) for line, fields in found.records),
        result=partial(CsvResult, found, held=scratch),
    )


def check_columns(found: Delimited) -> None:
    """Refuse a header that names a column twice, or one that the result adds.

    Raises:
        Unscorable: it does.
    """
    name, count = Counter(found.columns).most_common(1)[0]
    if count > 1:
        raise Unscorable(
            code=FileReason.DUPLICATE_COLUMN,
            message=f"The header names the column {name!r} {count} times.",
            column=name,
            line=found.header_line,
        )
    for name in found.columns:
        check_name(name, found.header_line)


def _row(line: int, fields: list[str], width: int) -> Row:
    if len(fields) == width:
        return Row(line=line, own=csv_record(fields))
    # Padded or cut, so that request and answer stay row by row; its answer is overruled by the flaw.
    return Row(
        line=line,
        own=csv_record(fields[:width] + [""] * (width - len(fields))),
        flaw=delimited.field_count_rejection(line, fields, width),
    )


class CsvResult(ResultWriter):
    """The upload's columns, then what the model said.

    Rejected rows of a model server that does not name the columns of a prediction wait in `held`.
    """

    def __init__(self, upload: Delimited, file: IO[bytes], *, held: IO[bytes]) -> None:
        super().__init__()
        self._upload = upload
        self._delimiter = upload.delimiter
        self._file = upload.encoding.writer(file)
        self._held = held

    def finish(self) -> None:
        if not self._columns:
            self._columns = (serving.PREDICTION,)
            self._begin(self._columns)

    def _begin(self, columns: Sequence[str]) -> None:
        if self._upload.announcement:
            self._file.write(self._upload.announcement.encode() + b"\n")
        self._line(csv_record(self._upload.columns), [*columns, serving.REJECTED, serving.MODEL_VERSION])
        self._held.seek(0)
        for *fields, rejected, version in csv.reader(TextIOWrapper(self._held, "utf-8", newline="")):
            self._write_rejected(csv_record(fields), rejected, version)

    def _write_scored(self, own: bytes, cells: Sequence[str], model_version: str) -> None:
        self._line(own, [*cells, "", model_version])

    def _write_rejected(self, own: bytes, rejected: str, model_version: str) -> None:
        if self._columns:
            self._line(own, [*[""] * len(self._columns), rejected, model_version])
        else:
            self._held.write(b"%b,%b\n" % (own, csv_record([rejected, model_version])))

    def _line(self, own: bytes, cells: list[str]) -> None:
        if self._delimiter == ",":
            line = b"%b,%b" % (own, csv_record(cells))
        else:
            (fields,) = csv.reader(StringIO(own.decode(), newline=""))
            line = csv_record([*fields, *cells], self._delimiter)
        self._file.write(line + b"\n")
