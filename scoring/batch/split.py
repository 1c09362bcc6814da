"""First job of the batch path: an upload becomes parts, each a request to the model server.

A part is some of the upload's own rows (`contract.parts`); of Parquet, it is some rows of the CSV that
the server makes of it. What the upload is not is found here: the reader says it of the file, and the
model of the columns.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.errors import NotFound
from adapters.job_buckets import RETRY
from adapters.ordered_map import ordered_map
from adapters.ports import StoredObject
from container.paths import Paths
from contract.artifact import ARCHIVE
from contract.names.batch import Outcome
from contract.names.jobs import Folder
from contract.parts import PART
from contract.reasons import Unscorable
from contract.serving import CSV
from scoring.batch.cutting import CUTTERS, Cut
from scoring.batch.documents import MAX_BYTES, Batch, NamedPart, Split, on_disk, on_volume, say
from scoring.server.predictor import Predictor
from scoring.server.sealed_model import unpack
from scoring.upload.score import open_upload
from tabular.formats.detection import Format
from tabular.formats.streams import Peekable
from tabular.parquet import table_requests

log = logging.getLogger(__name__)

IN_FLIGHT = 8


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
    stream, form, compressed = open_upload(batch.upload.key, stored, max_bytes=MAX_BYTES)
    contract = predictor.contract
    content_type = CSV if form is Format.PARQUET else PART

    def keep(cut: Cut) -> str:
        return batch.put_part(cut.body, content_type)

    parts, first = list[NamedPart](), None
    with _cut(stream, form, compressed, predictor) as cut:
        kept = ordered_map(keep, cut, in_flight=IN_FLIGHT, remaining_seconds=RETRY.remaining_seconds)
        with closing(kept):
            for each, name in kept:
                first = first or each.part
                parts.append(NamedPart(name, each.rows))
    log.info("%d parts", len(parts))
    batch.keep_split(
        Split(
            format=form,
            compressed=compressed,
            parts=parts,
            first=first,
            features=contract.feature_names,
            problem=contract.problem,
            classes=predictor.classes,
        )
    )
    batch.request_parts(dict.fromkeys(part.name for part in parts), round_number=1)
    return content_type


@contextmanager
def _cut(stream: Peekable, form: Format, compressed: bool, predictor: Predictor) -> Iterator[Iterator[Cut]]:
    if form is not Format.PARQUET:
        yield CUTTERS[form](stream, predictor, compressed=compressed)
        return
    with on_disk(stream) as path, closing(table_requests(path, predictor.contract.feature_names)) as bodies:
        yield _checked((Cut(body, 0) for body in bodies), predictor)


def _checked(parts: Iterator[Cut], predictor: Predictor) -> Iterator[Cut]:
    """The parts, once the model has taken the first: every other has the same columns."""
    for first in parts:
        try:
            predictor.respond(CSV, first.body)
        except Unscorable as why:
            raise replace(why, byte=None, line=None) from why
        yield first
        yield from parts
