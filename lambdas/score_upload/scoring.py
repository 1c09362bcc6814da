"""One upload's bytes against the live model: a result table, or why there can be none."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from contract.reasons import FileReason, Unscorable
from lambdas.adapters.errors import ModelRefused
from lambdas.adapters.ports import Answer, ModelServer, StoredObject
from lambdas.score_upload.answers import rejected_row, row_answers, unscorable_of
from lambdas.score_upload.concurrency import Patience, in_order
from lambdas.score_upload.faults import ModelChanged
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


def score_table(stored: StoredObject, result: IO[bytes], *, model: ModelServer, patience: Patience) -> Counts:
    """Write the result table of an upload to `result`, in memory bounded by a few requests.

    Raises:
        Unscorable: the upload is not this model's table.
        Fault, AwsError: it may be, but not this time.
    """
    table = read_table(stored.stream)
    with spool() as held:
        writer = ResultWriter(table.columns, result, held)
        try:
            _fill(writer, table, model, patience)
        except ModelRefused as refusal:
            raise _judged(refusal, answered=writer.rows > 0) from refusal
        writer.finish()
    return Counts(scored=writer.scored, rejected=writer.rejected)


def _fill(writer: ResultWriter, table: Table, model: ModelServer, patience: Patience) -> None:
    def predict(chunk: Chunk) -> Answer:
        return patience(lambda: model.predict(chunk.body))

    spare_seconds = patience.spare_seconds
    requests = in_order(predict, chunks(table), in_flight=IN_FLIGHT, spare_seconds=spare_seconds)
    with closing(requests) as answered:
        for chunk, answer in answered:
            for row, said in zip(chunk.rows, row_answers(answer, len(chunk.rows)), strict=True):
                writer.write(row.own, rejected_row(row.flaw) if row.flaw else said, answer.model_version)


def _judged(refusal: ModelRefused, *, answered: bool) -> Exception:
    unscorable = unscorable_of(refusal)
    if unscorable is None:
        return refusal
    if answered:
        # The model before scored rows of this very table.
        return ModelChanged("a model went live in the middle of the file that needs other columns")
    return unscorable
