"""Parquet decoded in a process of its own, whose end is not the server's.

A file of a few bytes can decode to more than a machine holds, and there are altered ones on
which the reader does not raise but aborts. So a child process with little memory decodes a file,
checks all of it, and passes it on as Arrow's own stream. What kills the child is no Parquet.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
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
from contract.reasons import FileReason, Unscorable

BATCH_ROWS = 16_384
MAX_TABLE_BYTES = 256 * 1024 * 1024
MAX_BATCH_BYTES = 128 * 1024 * 1024
CODEC = b"millrace:codec"
"""Key of the stream's metadata that says how the file is compressed."""

_NARROWEST_BYTES = 8
"""What a value counts at least: a run of a billion equal ones is stored in a few bytes."""
_CHILD_BYTES = 2 * 1024**3
_CHILD_SECONDS = 30
_REFUSED = 3


def decode_apart(body: bytes, features: Sequence[str], out: IO[bytes]) -> None:
    """`decode` in a process that may fail, run out of memory or take too long.

    Raises:
        Unscorable: as `decode`, or it did.
    """
    command = [sys.executable, "-m", "training.decoding", *features]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        child = subprocess.run(
            command,
            input=body,
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=_CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"The file is not decoded within {_CHILD_SECONDS} seconds."
        raise Unscorable(code=FileReason.DECOMPRESSION_BOMB, message=message) from None
    if child.returncode == _REFUSED:
        told = json.loads(child.stderr)
        raise Unscorable(**{**told, "code": FileReason(told["code"])})
    if child.returncode:
        message = "The file cannot be read as Parquet: its reader fails on it."
        raise Unscorable(code=FileReason.NOT_PARQUET, message=message)


def decode(body: bytes, features: Sequence[str], out: IO[bytes]) -> None:
    """Write a Parquet file's table as an Arrow stream, every value of it checked.

    Raises:
        Unscorable: it is no table with these features, or too large for one request.
    """
    with _parquet_only():
        schema = pq.ParquetFile(pa.BufferReader(body)).schema_arrow
        file = _opened(body)
        _check_columns(schema.names, features)
        _check_size(file.metadata)
        codec = file.metadata.row_group(0).column(0).compression
        stream_schema = schema.with_metadata({**(schema.metadata or {}), CODEC: codec})
        with pa.ipc.new_stream(out, stream_schema) as stream:
            for batch in _batches(file):
                columns = [array.cast(field.type) for array, field in zip(batch.columns, schema, strict=True)]
                for name, column in zip(schema.names, columns, strict=True):
                    _check_values(name, column)
                stream.write_batch(pa.record_batch(columns, schema=stream_schema))


@contextmanager
def _parquet_only() -> Iterator[None]:
    try:
        yield
    except pa.ArrowMemoryError as error:
        message = "The file needs more memory than one request may."
        raise Unscorable(code=FileReason.DECOMPRESSION_BOMB, message=message) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        said = str(error).partition("\n")[0]
        message = f"The file cannot be read as Parquet: {said}"
        raise Unscorable(code=FileReason.NOT_PARQUET, message=message) from error


def _opened(body: bytes) -> pq.ParquetFile:
    leaves = pq.ParquetFile(pa.BufferReader(body)).schema
    found = map(leaves.column, range(len(leaves)))
    strings = [leaf.path for leaf in found if leaf.physical_type == "BYTE_ARRAY"]
    return pq.ParquetFile(pa.BufferReader(body), read_dictionary=strings)


def _check_columns(names: Sequence[str], features: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            message = f"The table has {count} columns {name!r}."
            raise Unscorable(code=FileReason.DUPLICATE_COLUMN, message=message, column=name)
        if serving.is_result_column(name):
            message = f"The result adds a column {name!r}, so that the table may not have one."
            raise Unscorable(code=FileReason.RESERVED_COLUMN, message=message, column=name)
    missing = [name for name in features if name not in {*names, *map(str.strip, names)}]
    if missing:
        message = f"The table has no column {', '.join(map(repr, missing))}."
        raise Unscorable(code=FileReason.MISSING_COLUMN, message=message, column=missing[0])


def _check_size(metadata: pq.FileMetaData) -> None:
    if not metadata.num_rows:
        raise Unscorable(code=FileReason.HEADER_ONLY, message="The table has columns but no rows.")
    decoded = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for i in range(group.num_columns):
            chunk = group.column(i)
            width = max(_NARROWEST_BYTES, metadata.schema.column(i).length)
            decoded += max(chunk.total_uncompressed_size, chunk.num_values * width)
    if decoded > MAX_TABLE_BYTES:
        message = f"Decoded, the table has {decoded:,} bytes; one request takes {MAX_TABLE_BYTES:,} at most."
        raise Unscorable(code=FileReason.TOO_LARGE, message=message)


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """The rows, their strings still references into dictionaries."""
    rows = 0
    for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
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


def _child(features: Sequence[str]) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_CHILD_BYTES, _CHILD_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    body = sys.stdin.buffer.read()
    try:
        decode(body, features, sys.stdout.buffer)
    except Unscorable as why:
        sys.stderr.write(json.dumps(asdict(why)))
        return _REFUSED
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_child(sys.argv[1:]))
