"""Last job of the batch path: the answers to all parts become the upload's one result, in its order.

The upload is read once more, and scored by the very code of `score_upload`, or of the model
server for Parquet: only that the model's answers are looked up under the digests of the
requests instead of asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

from adapters.errors import NotFound
from adapters.ports import Response, StoredObject
from container.paths import Paths
from contract import serving
from contract.names.batch import Outcome
from contract.names.jobs import Variable
from scoring.batch.documents import MAX_BYTES, Batch, Split, on_disk, on_volume, say
from scoring.upload.score import Result, open_upload, score_file, spool
from tabular.formats import compression
from tabular.formats.detection import Format
from tabular.parquet import part_bodies, result_fields, write_result
from tabular.parquet_sandbox import decode_table

log = logging.getLogger(__name__)

LOOKUPS_AT_A_TIME = 8


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job without inputs; exit message `{"outcome": "assembled"}`, "settled" or "gone".

    Where parts have no answer it is `{"outcome": "incomplete", "missing": …}`, and the next
    round's manifest names them.
    """
    batch = Batch.from_environ(environ)
    split = batch.read_split()
    missing = batch.unanswered(split.parts)
    if missing:
        log.warning("%d of %d parts have no answer: %s …", len(missing), len(split.parts), missing[0])
        batch.request_parts(missing, int(environ[Variable.BATCH_ROUND]) + 1)
        say(paths.processing_message, Outcome.INCOMPLETE, missing=len(missing))
        return
    try:
        stored = batch.open()
    except NotFound:
        say(paths.processing_message, Outcome.GONE)
        return
    with on_volume(paths), closing(stored.stream):
        assemble(batch, split, stored, environ[Variable.MODEL_VERSION])
    say(paths.processing_message, Outcome.ASSEMBLED)


def assemble(batch: Batch, split: Split, stored: StoredObject, model_version: str) -> None:
    """Write the upload's result and commit it, unless it has its outcome."""
    write = _write_table if split.format is Format.PARQUET else _write_rows
    with spool() as file:
        result = write(batch, split, stored, file, model_version)
        batch.outcomes.commit_scored(file, result, stored)


def _write_rows(
    batch: Batch, split: Split, stored: StoredObject, file: IO[bytes], model_version: str
) -> Result:
    return score_file(
        batch.upload.key,
        stored,
        file,
        model=Answered(batch, model_version),
        retry=batch.outcomes.retry,
        features=split.features,
        max_bytes=MAX_BYTES,
    )


def _write_table(
    batch: Batch, split: Split, stored: StoredObject, file: IO[bytes], model_version: str
) -> Result:
    stream, form, compressed = open_upload(batch.upload.key, stored, max_bytes=MAX_BYTES)

    def look_up(body: bytes) -> str:
        return batch.outcomes.retry(lambda: batch.answer(body, serving.CSV)).decode()

    def answers(rows: pa.RecordBatch) -> str:
        return "".join(pool.map(look_up, part_bodies(rows, split.features)))

    with (
        on_disk(stream) as path,
        ThreadPoolExecutor(LOOKUPS_AT_A_TIME) as pool,
        compression.writer(file, compressed=compressed) as out,
        closing(decode_table(path, split.features)) as batches,
    ):
        fields = result_fields(split.problem, split.classes)
        rows, rejected, unseen = write_result(
            batches, out, answers, fields=fields, model_version=model_version
        )
    return Result(
        format=form, compressed=compressed, scored=rows - rejected, rejected=rejected, unseen=unseen
    )


@dataclass(frozen=True)
class Answered:
    """The model as it answered the parts; see `adapters.ports.ModelServer`."""

    batch: Batch
    model_version: str
    max_bytes: int = serving.MAX_REQUEST_BYTES

    def predict(self, body: bytes, content_type: str) -> Response:
        """The answer to a request that was a part. Raises NotFound if it was none."""
        return Response(body=self.batch.answer(body, content_type), model_version=self.model_version)
