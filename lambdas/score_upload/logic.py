"""From messages to outcomes: one upload ends as exactly one object, however often it is delivered.

What is larger than one call should score is left to the batch path: a state machine, of
which an upload version starts one execution, for the execution is named after it.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass
from typing import Any

from adapters.errors import AlreadyExists, AwsError, NotFound
from adapters.observability import logged_with
from adapters.ports import Bucket, Metrics, ModelServer, Queue, StateMachine
from adapters.retry import RetryPolicy
from contract import layout
from contract.events import Upload
from contract.names.batch import INPUT
from contract.reasons import FileReason, Unscorable
from lambdas.score_upload.settings import Settings
from scoring.upload.messages import upload_of
from scoring.upload.outcomes import Outcomes
from scoring.upload.score import score_file, spool

log = logging.getLogger(__name__)

RESERVED_SECONDS = 5.0
"""Kept for the commit: with less left, nothing is begun and the message is handed back."""
LONGEST_DELAY = 900


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """The dependencies of scoring.

    `open_bucket` gives the bucket of a name; `features` are the columns that the model likely
    needs; `time_left` is in seconds.
    """

    open_bucket: Callable[[str], Bucket]
    results: Bucket
    artifacts: Bucket
    batches: StateMachine
    model: ModelServer
    queue: Queue
    metrics: Metrics
    settings: Settings
    features: Collection[str]
    time_left: Callable[[], float]
    sleep: Callable[[float], None]

    def remaining_seconds(self) -> float:
        return self.time_left() - RESERVED_SECONDS


def score_messages(records: Sequence[Mapping[str, Any]], scorer: Scorer) -> dict[str, Any]:
    """Score the uploads that SQS records tell of; the answer names the messages to deliver again."""
    failed = [record["messageId"] for record in records if not _handled(record, scorer)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _handled(record: Mapping[str, Any], scorer: Scorer) -> bool:
    with ExitStack() as context:
        context.enter_context(logged_with(message_id=record["messageId"]))
        if scorer.remaining_seconds() <= 0:
            log.warning("no time left to begin: returned to the queue")
            _delay(record, 0, scorer)
            return False
        try:
            upload = upload_of(record["body"])
            if upload is None:
                log.info("the message is not about an upload: ignored")
                return True
            context.enter_context(logged_with(**asdict(upload)))
            score_upload(upload, scorer)
        except Exception:
            # Whatever it was must not fail the other messages of the batch.
            receives = int(record["attributes"]["ApproximateReceiveCount"])
            seconds = min(scorer.settings.retry_seconds * 2 ** (receives - 1), LONGEST_DELAY)
            log.exception("not scored: tried again later", extra={"receives": receives, "seconds": seconds})
            _delay(record, seconds, scorer)
            return False
    return True


def _delay(record: Mapping[str, Any], seconds: int, scorer: Scorer) -> None:
    try:
        scorer.queue.delay(record["receiptHandle"], seconds)
    except AwsError:
        # The queue's own visibility time-out delivers it again, only later.
        log.exception("the message could not be delayed")


def score_upload(upload: Upload, scorer: Scorer) -> None:
    """Give an upload its outcome, unless it has one or is gone.

    Raises:
        Fault, AwsError: it still has none; deliver it again.
    """
    outcomes = Outcomes(
        upload=upload,
        results=scorer.results,
        metrics=scorer.metrics,
        retry=RetryPolicy(remaining_seconds=scorer.time_left, sleep=scorer.sleep),
    )
    if outcomes.settled():
        log.info("the upload has its outcome already")
        return
    try:
        stored = scorer.open_bucket(upload.bucket).open(upload.key, upload.version_id)
    except NotFound:
        # Deleted by its owner between upload and delivery: nobody waits for a result.
        log.warning("the upload is gone: nothing to score")
        return
    try:
        with closing(stored.stream), spool() as result:
            written = score_file(
                upload.key,
                stored,
                result,
                model=scorer.model,
                retry=RetryPolicy(remaining_seconds=scorer.remaining_seconds, sleep=scorer.sleep),
                features=scorer.features,
                max_bytes=scorer.settings.max_upload_bytes,
            )
            outcomes.commit_scored(result, written, stored)
    except Unscorable as why:
        if why.code is FileReason.TOO_LARGE:
            _start_batch(upload, scorer)
        else:
            outcomes.commit_unscorable(why, stored)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        # A result may be many times its upload, where most rows are rejected: no other try has more room.
        _start_batch(upload, scorer)


def _start_batch(upload: Upload, scorer: Scorer) -> None:
    batch = layout.batch_id(upload.key, upload.version_id)
    with suppress(AlreadyExists):
        document = upload.to_json().encode()
        scorer.artifacts.create(layout.batch_upload_key(batch), document, "application/json")
    scorer.batches.start(batch, {INPUT: batch})
    log.info("too large for one call: left to the batch path", extra={"batch": batch})
