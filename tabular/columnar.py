"""Typed columns as the text that the rules for values read."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from contract.reasons import FileReason, Unscorable
from tabular.formats.records import csv_record

_PLAIN = (pa.types.is_integer, pa.types.is_float32, pa.types.is_float64, pa.types.is_boolean)
"""Types whose values Arrow writes into a CSV as they are read from one."""


def as_csv(batch: pa.RecordBatch, names: Sequence[str]) -> bytes:
    """The columns of these names, and of these names with blanks around, with a header. Nulls are empty.

    Raises:
        Unscorable: such a column's type has no text, or its bytes are none.
    """
    chosen = [i for i, name in enumerate(batch.schema.names) if name in names or name.strip() in names]
    header = csv_record([batch.schema.names[i] for i in chosen])
    columns = [_plain(batch.schema.names[i], batch.column(i)) for i in chosen]
    if len(columns) == 1:
        # Quoted, so that an empty value is no blank line, which would be no row.
        columns = [columns[0].cast(pa.string()).fill_null("")]
    table = pa.table(columns, names=list(map(str, chosen)))
    try:
        rows = _written(table, "none" if len(columns) > 1 else "needed")
    except pa.ArrowInvalid:
        rows = _written(table, "needed")
    return header + b"\n" + rows


def _written(table: pa.Table, quoting: str) -> bytes:
    text = BytesIO()
    arrow_csv.write_csv(table, text, arrow_csv.WriteOptions(include_header=False, quoting_style=quoting))
    return text.getvalue()


def _plain(name: str, column: pa.Array) -> pa.Array:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if any(is_plain(column.type) for is_plain in _PLAIN):
        return column
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        # In UTC, and as such without asking the system for the zone's rules.
        column = column.view(pa.int64()).view(pa.timestamp(kind.unit))
    try:
        if pa.types.is_duration(kind):  # which Arrow would write as a bare count
            raise pa.ArrowNotImplementedError
        text = column.cast(pa.string())
        text.validate(full=True)
    except pa.ArrowNotImplementedError as error:
        raise _unsupported(name, f"{kind}, of which a value cannot be read") from error
    except pa.ArrowInvalid as error:
        raise _unsupported(name, "bytes that are no text in UTF-8") from error
    return text


def _unsupported(name: str, held: str) -> Unscorable:
    message = f"The model needs the column {name!r}, and it holds {held}."
    return Unscorable(code=FileReason.UNSUPPORTED_TYPE, message=message, column=name)
