"""One upload's bytes against the live model: a result table, or why there can be none."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from contract.reasons import FileReason, Unscorable
from lambdas.adapters.errors import ModelRefused
from lambdas.adapters.ports import Answer, ModelServer, StoredObject
from lambdas.score_upload.answers import RowAnswer, row_answers, unscorable_of
from lambdas.score_upload.concurrency import in_order, persistently
from lambdas.score_upload.faults import ModelChanged, OutOfTime
from lambdas.score_upload.result import ResultWriter
from lambdas.score_upload.table import Chunk, Table, chunks, read_table

IN_FLIGHT = 4
"""Requests at a time for one upload; the queue's concurrency multiplies it."""
MEMORY_BYTES = 8 * 1024 * 1024
"""A result larger than this is spooled to disk."""
TRIED_AS_CSV = ("", ".csv")


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many of a result's rows have a prediction, and how many a reason."""

    scored: int
    rejected: int


def spool() -> IO[bytes]:
    """A temporary file that stays in memory while it is small."""
    return tempfile.SpooledTemporaryFile(MEMORY_BYTES)


def check_upload(key: str, size: int, max_bytes: int) -> None:
    """Refuse what is not worth reading.

    Raises:
        Unscorable: the key's extension is not CSV's, or there are more than `max_bytes`.
    """
    extension = PurePosixPath(key).suffix
    if extension.lower() not in TRIED_AS_CSV:
        raise Unscorable(
            code=FileReason.UNSUPPORTED_FORMAT,
            message=f"The key ends in {extension!r}; uploads are read as CSV, with the ending .csv or none.",
        )
    if size > max_bytes:
        raise Unscorable(
            code=FileReason.TOO_LARGE,
            message=f"The file has {size:,} bytes; at most {max_bytes:,} are scored as one upload.",
        )


def score_table(
    stored: StoredObject, result: IO[bytes], *, model: ModelServer, spare_seconds: Callable[[], float]
) -> Counts:
    """Write the result table of an upload to `result`, in memory bounded by a few requests.

    `spare_seconds` says how long this may still take.

    Raises:
        Unscorable: the upload is not this model's table.
        Fault, AwsError: it may be, but not this time.
    """
    table = read_table(stored.stream)
    with spool() as held:
        writer = ResultWriter(table.columns, result, held)
        try:
            _fill(writer, table, model, spare_seconds)
        except ModelRefused as refusal:
            raise _judged(refusal, answered=writer.rows > 0) from refusal
        writer.finish()
    return Counts(scored=writer.scored, rejected=writer.rejected)


def _fill(writer: ResultWriter, table: Table, model: ModelServer, spare_seconds: Callable[[], float]) -> None:
    def predict(chunk: Chunk) -> Answer:
        if spare_seconds() <= 0:
            raise OutOfTime(f"{writer.rows} rows were scored when the function's time was up")
        return persistently(lambda: model.predict(chunk.body), spare_seconds=spare_seconds)

    with closing(in_order(predict, chunks(table), in_flight=IN_FLIGHT)) as answered:
        for chunk, answer in answered:
            for row, said in zip(chunk.rows, row_answers(answer, len(chunk.rows)), strict=True):
                rejected = RowAnswer(cells={}, rejected=row.flaw)
                writer.write(row.fields, rejected if row.flaw else said, answer.model_version)


def _judged(refusal: ModelRefused, *, answered: bool) -> Exception:
    unscorable = unscorable_of(refusal)
    if unscorable is None:
        return refusal
    if answered:
        # The model before scored rows of this very table.
        return ModelChanged("a model went live in the middle of the file that needs other columns")
    return unscorable
