"""Whole tables in Parquet: the upload's columns and rows in, the same and their predictions out."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import chain
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from contract import serving
from contract.reasons import FileReason, Unscorable, rejected_text
from training.columnar import as_csv
from training.decoding import CODEC, decode_apart

_CODECS = {"uncompressed": "none"}


class TableAnswer(NamedTuple):
    """The answer to a whole table, how many rows it has and rejects, and by column its unseen categories."""

    body: bytes
    rows: int
    rejected: int
    unseen: Mapping[str, int]


def result_fields(problem: str, classes: Sequence[str]) -> list[pa.Field]:
    """The columns that a result adds to those of its upload."""
    label = pa.float64() if problem == "regression" else pa.string()
    shares = {"binary": [serving.PROBABILITY], "multiclass": list(map(serving.probability_column, classes))}
    return [
        pa.field(serving.PREDICTION, label),
        *(pa.field(name, pa.float64()) for name in shares.get(problem, [])),
        pa.field(serving.REJECTED, pa.string()),
        pa.field(serving.MODEL_VERSION, pa.string()),
    ]


class TableScorer:
    """Answers whole tables, a batch of rows at a time.

    `score` answers rows of the `features` as CSV with one JSON object a row; `fields` are the
    columns of `result_fields`; `decode` is one of `training.decoding`.
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

    def answer(self, body: bytes) -> TableAnswer:
        """The body's columns and rows with their predictions.

        Raises:
            Unscorable: the body is not this model's table, or too large for one request.
        """
        if not body:
            raise Unscorable(code=FileReason.EMPTY_FILE, message="The request is empty.")
        with tempfile.TemporaryFile() as decoded:
            with self._decoding:
                self._decode(body, self._features, decoded)
            decoded.seek(0)
            with pa.ipc.open_stream(decoded) as batches:
                answer = self._answer(batches)
        if len(answer.body) > serving.MAX_REQUEST_BYTES:
            most = f"{serving.MAX_REQUEST_BYTES:,}"
            message = f"The result has {len(answer.body):,} bytes, and one answer {most} at most."
            raise Unscorable(code=FileReason.TOO_LARGE, message=message)
        return answer

    def _answer(self, batches: pa.RecordBatchReader) -> TableAnswer:
        metadata = dict(batches.schema.metadata)
        codec = metadata.pop(CODEC).decode().lower()
        schema = pa.schema([*batches.schema, *self._fields], metadata)
        result, rows, rejected, unseen = BytesIO(), 0, 0, Counter[str]()
        with pq.ParquetWriter(result, schema, compression=_CODECS.get(codec, codec)) as writer:
            for batch in batches:
                answers = self._answers(batch)
                rows += len(answers)
                rejected += sum(serving.REJECTED in answer for answer in answers)
                unseen.update(chain.from_iterable(answer.get(serving.UNSEEN, ()) for answer in answers))
                writer.write_table(pa.table([*batch.columns, *self._added(answers)], schema=schema))
        return TableAnswer(result.getvalue(), rows, rejected, unseen)

    def _answers(self, batch: pa.RecordBatch) -> list[dict[str, Any]]:
        try:
            answers = self._score(as_csv(batch, self._features))
        except Unscorable as why:
            why.line = why.byte = None  # of the CSV, which nobody sees
            raise
        return [json.loads(answer) for answer in answers.splitlines()]

    def _added(self, answers: list[dict[str, Any]]) -> list[pa.Array]:
        for answer in answers:
            answer[serving.MODEL_VERSION] = self._model_version
            if reasons := answer.get(serving.REJECTED):
                answer[serving.REJECTED] = rejected_text(reasons)
        return [pa.array([a.get(field.name) for a in answers], field.type) for field in self._fields]
