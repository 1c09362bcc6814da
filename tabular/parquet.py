"""Whole tables in Parquet: the upload's columns and rows in, the same and their predictions out."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from contract import serving
from contract.reasons import FileReason, Unscorable, rejected_text
from tabular.columnar import as_csv
from tabular.parquet_decoder import CODEC
from tabular.parquet_sandbox import decode_apart, decode_table

PART_ROWS = 1024
PART_BYTES = 1024 * 1024
"""Of a request of the batch path: it also bounds the answer."""
_CODECS = {"uncompressed": "none"}


class Counts(NamedTuple):
    """How many rows a result has and rejects, and by column how many categories of the others were unseen."""

    rows: int
    rejected: int
    unseen: Mapping[str, int]


class TableResponse(NamedTuple):
    """The answer to a whole table, how many rows it has and rejects, and by column its unseen categories."""

    body: bytes
    rows: int
    rejected: int
    unseen: Mapping[str, int]


def result_fields(problem: str, classes: Sequence[str]) -> list[pa.Field]:
    """The columns that a result adds to those of its upload."""
    label = pa.float64() if problem == "regression" else pa.string()
    return [
        pa.field(serving.PREDICTION, label),
        *(pa.field(name, pa.float64()) for name in serving.probability_columns(problem, classes)),
        pa.field(serving.REJECTED, pa.string()),
        pa.field(serving.MODEL_VERSION, pa.string()),
    ]


class TableScorer:
    """Answers whole tables, a batch of rows at a time.

    `score` answers rows of the `features` as CSV with one JSON object a row; `fields` are the
    columns of `result_fields`; `decode` is `tabular.parquet_decoder.decode`, here or in a process of its own.
    """

    def __init__(
        self,
        score: Callable[[bytes], str],
        *,
        features: Sequence[str],
        fields: Sequence[pa.Field],
        model_version: str,
        decode: Callable[[bytes, Sequence[str], IO[bytes]], None] = decode_apart,
    ) -> None:
        self._score = score
        self._features = features
        self._fields = fields
        self._model_version = model_version
        self._decode = decode
        self._decoding = threading.Lock()  # two at a time could need twice the memory

    def respond(self, body: bytes, longest: int = serving.MAX_REQUEST_BYTES) -> TableResponse:
        """The body's columns and rows with their predictions, in an answer of so many bytes at most.

        Raises:
            Unscorable: the body is not this model's table, or too large for one request.
        """
        if not body:
            raise Unscorable(code=FileReason.EMPTY_FILE, message="The request is empty.")
        result = BytesIO()
        with tempfile.TemporaryFile() as decoded:
            with self._decoding:
                self._decode(body, self._features, decoded)
            decoded.seek(0)
            with pa.ipc.open_stream(decoded) as batches:
                counts = write_result(
                    batches, result, self._answers, fields=self._fields, model_version=self._model_version
                )
        if len(result.getvalue()) > longest:
            message = f"The result has {len(result.getvalue()):,} bytes, and one answer {longest:,} at most."
            raise Unscorable(code=FileReason.TOO_LARGE, message=message)
        return TableResponse(result.getvalue(), *counts)

    def _answers(self, batch: pa.RecordBatch) -> str:
        try:
            return self._score(as_csv(batch, self._features))
        except Unscorable as why:
            why.line = why.byte = None  # of the CSV, which nobody sees
            raise


def write_result(
    batches: Iterable[pa.RecordBatch],
    out: IO[bytes],
    answers: Callable[[pa.RecordBatch], str],
    *,
    fields: Sequence[pa.Field],
    model_version: str,
) -> Counts:
    """Write a decoded table, one batch at least, and what is said of each row: JSON Lines for a batch.

    Raises:
        ValueError: a batch has another number of answers than rows.
    """
    found = iter(batches)
    first = next(found)
    metadata = dict(first.schema.metadata)
    codec = metadata.pop(CODEC).decode().lower()
    schema = pa.schema([*first.schema, *fields], metadata)
    rows, rejected, unseen = 0, 0, Counter[str]()
    with pq.ParquetWriter(out, schema, compression=_CODECS.get(codec, codec)) as writer:
        for batch in chain([first], found):
            said = [json.loads(answer) for answer in answers(batch).splitlines()]
            if len(said) != batch.num_rows:
                raise ValueError(f"{len(said)} answers to {batch.num_rows} rows")
            rows += len(said)
            rejected += sum(serving.REJECTED in answer for answer in said)
            unseen.update(chain.from_iterable(answer.get(serving.UNSEEN, ()) for answer in said))
            added = _columns(said, fields, model_version)
            writer.write_table(pa.table([*batch.columns, *added], schema=schema))
    return Counts(rows, rejected, unseen)


def table_requests(path: Path, features: Sequence[str]) -> Generator[bytes]:
    """The parts of a file, in order.

    Raises:
        Unscorable: as `decode_table`, or a row does not fit in one request.
    """
    with closing(decode_table(path, features)) as batches:
        for batch in batches:
            yield from part_bodies(batch, features)


def part_bodies(batch: pa.RecordBatch, features: Sequence[str]) -> Iterator[bytes]:
    """A batch's features as requests of CSV, of which each is a part of the batch path.

    Raises:
        Unscorable: a row does not fit in one request.
    """
    for start in range(0, batch.num_rows, PART_ROWS):
        yield from _fitting(batch.slice(start, PART_ROWS), features)


def _fitting(batch: pa.RecordBatch, features: Sequence[str]) -> Iterator[bytes]:
    body = as_csv(batch, features)
    half = batch.num_rows // 2
    if len(body) > PART_BYTES and half:
        yield from _fitting(batch.slice(0, half), features)
        yield from _fitting(batch.slice(half), features)
        return
    if len(body) > serving.MAX_REQUEST_BYTES:
        message = f"A row has {len(body):,} bytes, and one request {serving.MAX_REQUEST_BYTES:,} at most."
        raise Unscorable(code=FileReason.ROW_TOO_LARGE, message=message)
    yield body


def _columns(said: list[dict[str, Any]], fields: Sequence[pa.Field], model_version: str) -> list[pa.Array]:
    for answer in said:
        answer[serving.MODEL_VERSION] = model_version
        if reasons := answer.get(serving.REJECTED):
            answer[serving.REJECTED] = rejected_text(reasons)
    return [pa.array([answer.get(field.name) for answer in said], field.type) for field in fields]
