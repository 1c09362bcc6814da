"""Last job of the batch path: the answers to all parts become the upload's one result, in its order.

The upload is read once more, and scored by the very code of `score_upload`: only that the
model's answers are looked up under the digests of the requests instead of asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from contract import serving
from lambdas.adapters.errors import NotFound
from lambdas.adapters.ports import Answer, StoredObject
from lambdas.score_upload.scoring import score_file, spool
from training.batch import ANSWERED, MAX_BYTES, ROUND, Batch, Split, part_name, say
from training.paths import Paths

log = logging.getLogger(__name__)

_ENDINGS = {serving.CSV: "csv", serving.JSON_LINES: "jsonl"}


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
        batch.ask_for(missing, int(environ[ROUND]) + 1)
        say(paths.processing_message, outcome="incomplete", missing=len(missing))
        return
    try:
        stored = batch.open()
    except NotFound:
        say(paths.processing_message, outcome="gone")
        return
    with closing(stored.stream):
        assemble(batch, split, stored, environ[serving.MODEL_VERSION_VARIABLE])
    say(paths.processing_message, outcome="assembled")


def assemble(batch: Batch, split: Split, stored: StoredObject, model_version: str) -> None:
    """Write the upload's result and commit it, unless it has its outcome."""
    with spool() as file:
        result = score_file(
            batch.upload.key,
            stored,
            file,
            model=Answered(batch, model_version),
            patience=batch.outcomes.patience,
            features=split.features,
            max_bytes=MAX_BYTES,
        )
        batch.outcomes.commit_scored(file, result, stored)


@dataclass(frozen=True)
class Answered:
    """The model as it answered the parts; see `lambdas.adapters.ports.ModelServer`."""

    batch: Batch
    model_version: str

    def predict(self, body: bytes, content_type: str) -> Answer:
        """The answer to a request that was a part. Raises NotFound if it was none."""
        name = part_name(body, _ENDINGS[content_type])
        return Answer(body=self.batch.answer(name + ANSWERED), model_version=self.model_version)
