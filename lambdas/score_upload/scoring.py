"""One upload's bytes against the live model: a result in the same format, or why there can be none."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from typing import IO

from contract.reasons import FileReason, Unscorable
from lambdas.adapters.errors import ModelRefused
from lambdas.adapters.ports import Answer, ModelServer, StoredObject
from lambdas.score_upload.answers import rejected_row, row_answers, unscorable_of
from lambdas.score_upload.concurrency import Patience, in_order
from lambdas.score_upload.faults import ModelChanged
from lambdas.score_upload.formats import compression, delimited, detection, jsonlines
from lambdas.score_upload.formats.detection import Format
from lambdas.score_upload.formats.result import ResultWriter
from lambdas.score_upload.formats.streams import Peekable
from lambdas.score_upload.formats.table import Chunk, Table, chunks

IN_FLIGHT = 4
"""Requests at a time for one upload; the queue's concurrency multiplies it."""
MEMORY_BYTES = 8 * 1024 * 1024
"""What is larger than this is spooled to disk."""

_READERS: dict[Format, Callable[..., Table]] = {
    Format.CSV: delimited.read_table,
    Format.JSON_LINES: jsonlines.read_table,
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was written: its format, and how many of its rows have a prediction or a reason."""

    format: Format
    compressed: bool
    scored: int
    rejected: int

    @property
    def extension(self) -> str:
        """What its key ends in."""
        return self.format.value + detection.GZIP_ENDING * self.compressed

    @property
    def content_type(self) -> str:
        return compression.CONTENT_TYPE if self.compressed else self.format.content_type


def spool() -> IO[bytes]:
    """A temporary file that stays in memory while it is small."""
    return tempfile.SpooledTemporaryFile(MEMORY_BYTES)


def score_file(
    key: str,
    stored: StoredObject,
    file: IO[bytes],
    *,
    model: ModelServer,
    patience: Patience,
    features: Collection[str],
    max_bytes: int,
) -> Result:
    """Write the result of an upload to `file`, in memory bounded by a few requests.

    `features` are the columns that the model likely needs: whether one is missing is for the
    model to say. `max_bytes` limits the upload as it is stored, and decompressed.

    Raises:
        Unscorable: the upload is not this model's table.
        Fault, AwsError: it may be, but not this time.
    """
    claim = detection.claim_of(key)
    if stored.size > max_bytes:
        raise Unscorable(
            code=FileReason.TOO_LARGE,
            message=f"The file has {stored.size:,} bytes; at most {max_bytes:,} are scored as one upload.",
        )
    stream = Peekable(stored.stream)
    compressed = detection.is_compressed(stream, claim)
    if compressed:
        stream = Peekable(compression.Decompressed(stream, max_bytes))
    form = detection.format_of(stream, claim)
    with spool() as scratch, compression.writer(file, compressed=compressed) as out:
        table = _READERS[form](stream, features=features, scratch=scratch)
        writer = _write_result(table, out, model, patience)
    return Result(format=form, compressed=compressed, scored=writer.scored, rejected=writer.rejected)


def _write_result(table: Table, out: IO[bytes], model: ModelServer, patience: Patience) -> ResultWriter:
    writer = table.result(out)
    try:
        _fill(writer, table, model, patience)
    except ModelRefused as refusal:
        raise _judged(refusal, answered=writer.rows > 0) from refusal
    writer.finish()
    return writer


def _fill(writer: ResultWriter, table: Table, model: ModelServer, patience: Patience) -> None:
    def predict(chunk: Chunk) -> Answer:
        return patience(lambda: model.predict(chunk.body, table.content_type))

    above, spare_seconds = table.header_answers, patience.spare_seconds
    requests = in_order(predict, chunks(table), in_flight=IN_FLIGHT, spare_seconds=spare_seconds)
    with closing(requests) as answered:
        for chunk, answer in answered:
            answers = row_answers(answer, above + len(chunk.rows))[above:]
            for row, said in zip(chunk.rows, answers, strict=True):
                writer.write(row.own, rejected_row(row.flaw) if row.flaw else said, answer.model_version)


def _judged(refusal: ModelRefused, *, answered: bool) -> Exception:
    unscorable = unscorable_of(refusal)
    if unscorable is None:
        return refusal
    if answered:
        # The model before scored rows of this very table.
        return ModelChanged("a model went live in the middle of the file that needs other columns")
    return unscorable
