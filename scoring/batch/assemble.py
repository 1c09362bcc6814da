"""Last job of the batch path: the answers to all parts become the upload's one result, in its order.

The answers to CSV and JSON Lines are rows of the result, which S3 puts together (`scoring.batch.answers`).
Parquet is read once more, and written by the code of the model server: only that the answers are looked
up under the digests of the requests instead of asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import IO

import pyarrow as pa

from adapters.errors import NotFound
from adapters.ports import StoredObject
from container.paths import Paths
from contract import serving
from contract.names.batch import Outcome
from contract.names.jobs import Variable
from scoring.batch.answers import Answers
from scoring.batch.documents import MAX_BYTES, Batch, Split, on_disk, on_volume, say
from scoring.upload.score import Result, open_upload, spool
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
    if split.format is Format.PARQUET:
        with spool() as file:
            result = _write_table(batch, split, stored, file, model_version)
            batch.outcomes.commit_scored(file, result, stored)
        return
    answers = Answers.of(batch, split)
    result = Result(
        format=split.format,
        compressed=split.compressed,
        scored=answers.rows - answers.rejected,
        rejected=answers.rejected,
        unseen=answers.unseen,
    )
    batch.outcomes.commit_created(answers.join, result, stored)


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
