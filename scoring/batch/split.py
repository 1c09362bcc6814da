"""First job of the batch path: an upload becomes parts, each a request to the model server.

The parts are the very requests that `score_upload` would make of the upload, so that the
batch path cannot predict otherwise; a part of Parquet is some rows of the CSV that the server
makes of it. What the upload is not is found here: the reader says it of the file, and the
model, asked about the first part, of the columns.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.errors import NotFound
from adapters.ordered_map import ordered_map
from adapters.ports import StoredObject
from container.paths import Paths
from contract import serving
from contract.artifact import ARCHIVE
from contract.names.batch import Outcome
from contract.names.jobs import Folder
from contract.reasons import Unscorable
from scoring.batch.documents import MAX_BYTES, Batch, Split, on_disk, on_volume, say
from scoring.server.predictor import Predictor
from scoring.server.sealed_model import unpack
from scoring.upload.formats.table import chunks
from scoring.upload.score import READERS, open_upload, spool
from tabular.formats.detection import Format
from tabular.formats.streams import Peekable
from tabular.parquet import table_requests

log = logging.getLogger(__name__)

IN_FLIGHT = 8


@dataclass(frozen=True, kw_only=True)
class Requests:
    """An upload as requests of one content type. `header_line` is its header's, where it has one."""

    content_type: str
    header_line: int | None
    bodies: Iterator[bytes]


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: input `model` (`model.tar.gz`); exit message `{"outcome": "split", "content_type": …}`.

    Where nothing is left to score the outcome is "settled", "gone" or "unscorable" (and committed).
    """
    batch = Batch.from_environ(environ)
    if batch.outcomes.settled():
        say(paths.processing_message, Outcome.SETTLED)
        return
    try:
        stored = batch.open()
    except NotFound:
        say(paths.processing_message, Outcome.GONE)
        return
    with on_volume(paths), closing(stored.stream):
        predictor = load(paths.processing_input(Folder.MODEL) / ARCHIVE)
        try:
            content_type = split(batch, stored, predictor)
        except Unscorable as why:
            batch.outcomes.commit_unscorable(why, stored)
            say(paths.processing_message, Outcome.UNSCORABLE)
        else:
            say(paths.processing_message, Outcome.SPLIT, content_type=content_type)


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
    contract = predictor.contract
    with _requests(stream, form, contract.feature_names) as requests:

        def put(body: bytes) -> str:
            return batch.put_part(body, requests.content_type)

        kept = ordered_map(
            put,
            _checked(requests, predictor),
            in_flight=IN_FLIGHT,
            remaining_seconds=lambda: threading.TIMEOUT_MAX,
        )
        with closing(kept):
            # Equal requests, as of a file that repeats itself, are one part.
            parts = list(dict.fromkeys(name for _, name in kept))
    log.info("%d parts", len(parts))
    batch.keep_split(
        Split(
            format=form,
            parts=parts,
            features=contract.feature_names,
            problem=contract.problem,
            classes=predictor.classes,
        )
    )
    batch.request_parts(parts, round_number=1)
    return requests.content_type


@contextmanager
def _requests(stream: Peekable, form: Format, features: Sequence[str]) -> Iterator[Requests]:
    if form is Format.PARQUET:
        with on_disk(stream) as path, closing(table_requests(path, features)) as bodies:
            yield Requests(content_type=serving.CSV, header_line=None, bodies=bodies)
        return
    with spool() as scratch:
        table = READERS[form](stream, features=features, scratch=scratch)
        bodies = (chunk.body for chunk in chunks(table))
        yield Requests(content_type=table.content_type, header_line=table.header_line, bodies=bodies)


def _checked(requests: Requests, predictor: Predictor) -> Iterator[bytes]:
    """The requests, once the model has taken the first: every other has the same columns."""
    for first in requests.bodies:
        try:
            predictor.answer(requests.content_type, first)
        except Unscorable as why:
            # As `score_upload` tells it: bytes are the request's, and so are lines.
            raise replace(why, byte=None, line=requests.header_line) from why
        yield first
        yield from requests.bodies
