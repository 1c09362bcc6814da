"""Parquet decoded and checked, every value of it: `python -m tabular.parquet_decoder`, the process with
little memory that `tabular.parquet_sandbox` starts, which takes a file and gives Arrow's own stream.
"""

from __future__ import annotations

import json
import math
import resource
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contract import serving
from contract.reasons import FileReason, Unscorable, lacking

BATCH_ROWS = 16_384
MAX_TABLE_BYTES = 256 * 1024 * 1024
MAX_BATCH_BYTES = 128 * 1024 * 1024
CODEC = b"millrace:codec"
"""Key of the stream's metadata that says how the file is compressed."""

_NARROWEST_BYTES = 8
"""What a value counts at least: a run of a billion equal ones is stored in a few bytes."""
_CHILD_BYTES = 2 * 1024**3
_FILE_CHILD_BYTES = 4 * 1024**3
REFUSED = 3
"""Exit code of a process that says, on its standard error, why a file is no table."""
_BUFFER_BYTES = 1024 * 1024


def not_parquet(why: str) -> Unscorable:
    """What to say of a file that the reader fails on."""
    return Unscorable(code=FileReason.NOT_PARQUET, message=f"The file cannot be read as Parquet: {why}")


def decode(body: bytes, features: Sequence[str], out: IO[bytes]) -> None:
    """Write a Parquet file's table as an Arrow stream, every value of it checked.

    Raises:
        Unscorable: it is no table with these features, or too large for one request.
    """
    with _parquet_only("one request"):
        _decode_all(pa.BufferReader(body), features, out, max_bytes=MAX_TABLE_BYTES)


def _decode_all(
    source: str | pa.BufferReader, features: Sequence[str], out: IO[bytes], max_bytes: float = math.inf
) -> None:
    schema = pq.ParquetFile(source).schema_arrow
    file = _opened(source)
    _check_columns(schema.names, features)
    _check_not_reserved(schema.names)
    _check_rows(file.metadata)
    _check_size(file.metadata, max_bytes)
    codec = file.metadata.row_group(0).column(0).compression
    stream_schema = schema.with_metadata({**(schema.metadata or {}), CODEC: codec})
    _write(file, stream_schema, out, names=None)


def _decode_columns(path: str, names: Sequence[str], out: IO[bytes]) -> None:
    schema = pq.ParquetFile(path).schema_arrow
    file = _opened(path)
    wanted = [name for name in schema.names if name in names or name.strip() in names]
    _check_columns(wanted, names)
    _check_rows(file.metadata)
    _write(file, pa.schema([schema.field(name) for name in wanted]), out, names=wanted)


def _write(file: pq.ParquetFile, schema: pa.Schema, out: IO[bytes], *, names: list[str] | None) -> None:
    with pa.ipc.new_stream(out, schema) as stream:
        for batch in _batches(file, names):
            columns = [batch.column(field.name).cast(field.type) for field in schema]
            for name, column in zip(schema.names, columns, strict=True):
                _check_values(name, column)
            stream.write_batch(pa.record_batch(columns, schema=schema))


@contextmanager
def _parquet_only(reader: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowMemoryError as error:
        message = f"The file needs more memory than {reader} may."
        raise Unscorable(code=FileReason.DECOMPRESSION_BOMB, message=message) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise not_parquet(str(error).partition("\n")[0]) from error


def _opened(source: str | pa.BufferReader) -> pq.ParquetFile:
    leaves = pq.ParquetFile(source).schema
    found = map(leaves.column, range(len(leaves)))
    strings = [leaf.path for leaf in found if leaf.physical_type == "BYTE_ARRAY"]
    if isinstance(source, pa.BufferReader):
        source.seek(0)
    # A buffer lets a file's columns be read piece by piece, however large a row group is.
    return pq.ParquetFile(source, read_dictionary=strings, buffer_size=_BUFFER_BYTES)


def _check_columns(names: Sequence[str], features: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            message = f"The table has {count} columns {name!r}."
            raise Unscorable(code=FileReason.DUPLICATE_COLUMN, message=message, column=name)
    missing = [name for name in features if name not in {*names, *map(str.strip, names)}]
    if missing:
        message = lacking(missing, features)
        raise Unscorable(code=FileReason.MISSING_COLUMN, message=message, column=missing[0])


def _check_not_reserved(names: Sequence[str]) -> None:
    for name in filter(serving.is_result_column, names):
        message = f"The result adds a column {name!r}, so that the table may not have one."
        raise Unscorable(code=FileReason.RESERVED_COLUMN, message=message, column=name)


def _check_rows(metadata: pq.FileMetaData) -> None:
    if not metadata.num_rows:
        raise Unscorable(code=FileReason.HEADER_ONLY, message="The table has columns but no rows.")


def _check_size(metadata: pq.FileMetaData, max_bytes: float) -> None:
    decoded = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for i in range(group.num_columns):
            chunk = group.column(i)
            width = max(_NARROWEST_BYTES, metadata.schema.column(i).length)
            decoded += max(chunk.total_uncompressed_size, chunk.num_values * width)
    if decoded > max_bytes:
        message = f"Decoded, the table has {decoded:,} bytes; one request takes {MAX_TABLE_BYTES:,} at most."
        raise Unscorable(code=FileReason.TOO_LARGE, message=message)


def _batches(file: pq.ParquetFile, names: list[str] | None) -> Iterator[pa.RecordBatch]:
    """The rows, their strings still references into dictionaries."""
    rows = 0
    for batch in file.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
        rows += batch.num_rows
        if sum(map(_written_out, batch.columns)) > MAX_BATCH_BYTES:
            message = f"{batch.num_rows:,} of the rows decode to more than {MAX_BATCH_BYTES:,} bytes."
            raise Unscorable(code=FileReason.DECOMPRESSION_BOMB, message=message)
        yield batch
    if rows != file.metadata.num_rows:
        raise pa.ArrowInvalid(f"it has {rows} rows and says {file.metadata.num_rows}")


def _check_values(name: str, column: pa.Array) -> None:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        message = f"The column {name!r} holds values that are none of its type: {error}"
        raise Unscorable(code=FileReason.UNDECODABLE, message=message, column=name) from error


def _written_out(array: pa.Array) -> int:
    """Bytes of an array's values when its strings are no references any more."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        sizes = pc.binary_length(array.dictionary)
        return pc.sum(sizes.take(array.indices)).as_py() or 0
    if pa.types.is_struct(kind):
        return sum(map(_written_out, array.flatten()))
    if pa.types.is_map(kind):
        return _written_out(array.keys) + _written_out(array.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _written_out(array.flatten())
    return int(array.nbytes)


def _child(how: str, path: str, names: Sequence[str]) -> int:
    most = _CHILD_BYTES if how == "request" else _FILE_CHILD_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        if how == "request":
            decode(sys.stdin.buffer.read(), names, sys.stdout.buffer)
        else:
            with _parquet_only("a job"):
                (_decode_all if how == "table" else _decode_columns)(path, names, sys.stdout.buffer)
    except Unscorable as why:
        sys.stderr.write(json.dumps(asdict(why)))
        return REFUSED
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_child(sys.argv[1], sys.argv[2], sys.argv[3:]))
