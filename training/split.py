"""First job of the batch path: an upload becomes parts, each a request to the model server.

The parts are the very requests that `score_upload` would make of the upload, so that the
batch path cannot predict otherwise. What the upload is not is found here: the reader says
it of the file, and the model, asked about the first part, of the columns.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from contract.reasons import FileReason, Unscorable
from lambdas.adapters.errors import NotFound
from lambdas.adapters.ports import StoredObject
from lambdas.score_upload.concurrency import in_order
from lambdas.score_upload.formats.table import Chunk, Table, chunks
from lambdas.score_upload.scoring import READERS, open_upload, spool
from training.batch import MAX_BYTES, Batch, Split, say
from training.evaluation.sealed import ARCHIVE, unpack
from training.paths import Paths
from training.predictor import Predictor

log = logging.getLogger(__name__)

IN_FLIGHT = 8


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: input `model` (`model.tar.gz`); exit message `{"outcome": "split", "content_type": …}`.

    Where nothing is left to score the outcome is "settled", "gone" or "unscorable" (and committed).
    """
    batch = Batch.from_environ(environ)
    if batch.outcomes.settled():
        say(paths.processing_message, outcome="settled")
        return
    try:
        stored = batch.open()
    except NotFound:
        say(paths.processing_message, outcome="gone")
        return
    predictor = load(paths.processing_input("model") / ARCHIVE)
    with closing(stored.stream):
        try:
            content_type = split(batch, stored, predictor)
        except Unscorable as why:
            batch.outcomes.commit_unscorable(why, stored)
            say(paths.processing_message, outcome="unscorable")
        else:
            say(paths.processing_message, outcome="split", content_type=content_type)


def load(archive: Path) -> Predictor:
    """The model in a sealed artifact."""
    with TemporaryDirectory() as folder:
        unpack(archive, Path(folder))
        return Predictor(Path(folder))


def split(batch: Batch, stored: StoredObject, predictor: Predictor) -> str:
    """Keep an upload's parts and the first round's manifest; the parts' content type.

    Raises:
        Unscorable: the upload is not this model's table.
    """
    stream, form, _ = open_upload(batch.upload.key, stored, max_bytes=MAX_BYTES)
    if form not in READERS:
        message = (
            f"A file of {form.value} is scored in one request only. Larger, it has to be CSV or JSON Lines."
        )
        raise Unscorable(code=FileReason.TOO_LARGE, message=message)
    features = predictor.contract.feature_names
    with spool() as scratch:
        table = READERS[form](stream, features=features, scratch=scratch)

        def put(chunk: Chunk) -> str:
            return batch.put_part(chunk.body, form.value)

        requests = in_order(
            put,
            _checked(table, predictor),
            in_flight=IN_FLIGHT,
            spare_seconds=lambda: threading.TIMEOUT_MAX,
        )
        with closing(requests) as kept:
            # Equal requests, as of a file that repeats itself, are one part.
            parts = list(dict.fromkeys(name for _, name in kept))
    log.info("%d parts", len(parts))
    batch.keep_split(Split(features=features, parts=parts))
    batch.ask_for(parts, round_number=1)
    return table.content_type


def _checked(table: Table, predictor: Predictor) -> Iterator[Chunk]:
    """The table's requests, once the model has taken the first: every other has the same columns."""
    requests = chunks(table)
    for first in requests:
        try:
            predictor.answer(table.content_type, first.body)
        except Unscorable as why:
            # As `score_upload` tells it: bytes are the request's, and so are lines.
            raise replace(why, byte=None, line=table.header_line) from why
        yield first
        yield from requests
