"""One upload's bytes against the live model: a result in the same format, or why there can be none."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import IO

from adapters.ports import ModelServer, StoredObject
from adapters.retry import RetryPolicy
from contract.reasons import FileReason, Unscorable
from scoring.upload.endpoint import EndpointScorer
from scoring.upload.formats import delimited, jsonlines, parquet
from scoring.upload.formats.table import Table
from tabular.formats import compression, detection
from tabular.formats.detection import Format, Opened, opened

MEMORY_BYTES = 8 * 1024 * 1024
"""What is larger than this is spooled to disk."""

READERS: dict[Format, Callable[..., Table]] = {
    Format.CSV: delimited.read_table,
    Format.JSON_LINES: jsonlines.read_table,
}
"""How formats are read whose rows are scored in requests."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was written: its format, how many of its rows have a prediction or a reason, and by column
    how many have a category that the model does not know.
    """

    format: Format
    compressed: bool
    scored: int
    rejected: int
    unseen: Mapping[str, int]

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


def open_upload(key: str, stored: StoredObject, *, max_bytes: int) -> Opened:
    """See what an upload is, by its key and its first bytes.

    Raises:
        Unscorable: it is larger than `max_bytes`, or of no format that can be scored.
    """
    if stored.size > max_bytes:
        raise Unscorable(
            code=FileReason.TOO_LARGE,
            message=f"The file has {stored.size:,} bytes; at most {max_bytes:,} are scored as one upload.",
        )
    return opened(key, stored.stream, max_bytes=max_bytes)


def score_file(
    key: str,
    stored: StoredObject,
    file: IO[bytes],
    *,
    model: ModelServer,
    retry: RetryPolicy,
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
    stream, form, compressed = open_upload(key, stored, max_bytes=max_bytes)
    live = EndpointScorer(model, retry)
    with spool() as scratch, compression.writer(file, compressed=compressed) as out:
        if form is Format.PARQUET:
            counts = live.score_whole(parquet.read_file(stream, model.max_bytes), form.content_type, out)
        else:
            table = READERS[form](stream, features=features, scratch=scratch)
            counts = live.score_rows(table, out)
    return Result(format=form, compressed=compressed, **counts._asdict())
