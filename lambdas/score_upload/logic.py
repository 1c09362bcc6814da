"""From messages to outcomes: one upload ends as exactly one object, however often it is delivered.

The creation of that object is the commit. An upload's bytes decide which outcome it has,
but for one thing: whether a column is missing is the live model's to say. (The size limit
is a setting, and moves as rarely.) So both keys are looked at before scoring and again
right before the commit, and within one file only the first answer may say it. Two
deliveries at once that see two models needing different columns could still commit both
within the same milliseconds. So each looks again after its commit, when S3 shows at least
one of them both objects: the scored one stays, and the other is withdrawn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, Any

from contract import layout
from contract.metrics import Metric
from contract.reasons import Unscorable
from lambdas.adapters.errors import AlreadyExists, AwsError, NotFound
from lambdas.adapters.observability import logged_with
from lambdas.adapters.ports import Bucket, Metrics, ModelServer, Queue, StoredObject
from lambdas.score_upload.concurrency import Patience
from lambdas.score_upload.events import Upload, upload_of
from lambdas.score_upload.scoring import Result, score_file, spool
from lambdas.score_upload.settings import Settings

log = logging.getLogger(__name__)

RESERVED_SECONDS = 5.0
"""Kept for the commit: with less left, nothing is begun and the message is handed back."""
LONGEST_DELAY = 900


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """What scoring needs.

    `open_bucket` gives the bucket of a name; `features` are the columns that the model likely
    needs; `time_left` is in seconds.
    """

    open_bucket: Callable[[str], Bucket]
    results: Bucket
    model: ModelServer
    queue: Queue
    metrics: Metrics
    settings: Settings
    features: Collection[str]
    time_left: Callable[[], float]
    sleep: Callable[[float], None]

    def spare_seconds(self) -> float:
        return self.time_left() - RESERVED_SECONDS


def score_messages(records: Sequence[Mapping[str, Any]], scorer: Scorer) -> dict[str, Any]:
    """Score the uploads that SQS records tell of; the answer names the messages to deliver again."""
    failed = [record["messageId"] for record in records if not _handled(record, scorer)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _handled(record: Mapping[str, Any], scorer: Scorer) -> bool:
    with ExitStack() as told:
        told.enter_context(logged_with(message_id=record["messageId"]))
        if scorer.spare_seconds() <= 0:
            log.warning("no time is left to begin: handed back")
            _delay(record, 0, scorer)
            return False
        try:
            upload = upload_of(record["body"])
            if upload is None:
                log.info("the message tells of no upload: ignored")
                return True
            told.enter_context(logged_with(**asdict(upload)))
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
    outcomes = _Outcomes(upload, scorer)
    if outcomes.settled():
        log.info("the upload has its outcome already")
        return
    try:
        stored = scorer.open_bucket(upload.bucket).open(upload.key, upload.version_id)
    except NotFound:
        # Deleted by its owner between upload and delivery: nobody waits for a result.
        log.warning("the upload is gone: nothing to score")
        return
    with closing(stored.stream), spool() as result:
        try:
            written = score_file(
                upload.key,
                stored,
                result,
                model=scorer.model,
                patience=Patience(spare_seconds=scorer.spare_seconds, sleep=scorer.sleep),
                features=scorer.features,
                max_bytes=scorer.settings.max_upload_bytes,
            )
        except Unscorable as why:
            outcomes.commit_unscorable(why, stored)
        else:
            outcomes.commit_scored(result, written, stored)


class _Outcomes:
    """The two objects of which an upload gets one."""

    def __init__(self, upload: Upload, scorer: Scorer) -> None:
        self._upload = upload
        self._scorer = scorer
        self._unscorable = layout.unscorable_key(upload.key, upload.version_id)

    def settled(self) -> str | None:
        """The prefix under which the upload has its outcome, if it has one. Of two, one is withdrawn."""
        results = self._scorer.results
        scored = results.holds(layout.scored_stem(self._upload.key, self._upload.version_id))
        if not results.exists(self._unscorable):
            return layout.SCORED_PREFIX if scored else None
        if not scored:
            return layout.UNSCORABLE_PREFIX
        results.withdraw(self._unscorable)
        log.warning(
            "scored by one model and unscorable to another: scored", extra={"withdrawn": self._unscorable}
        )
        return layout.SCORED_PREFIX

    def commit_scored(self, file: IO[bytes], result: Result, stored: StoredObject) -> None:
        key = layout.scored_key(self._upload.key, self._upload.version_id, result.extension)
        if not self._commit(key, file, result.content_type):
            return
        rows = result.scored + result.rejected
        log.info("scored", extra={"rows": rows, "rejected": result.rejected, "result": key})
        self._scorer.metrics.emit(
            {
                Metric.UPLOADS_SCORED: 1,
                Metric.ROWS_SCORED: result.scored,
                Metric.ROWS_REJECTED: result.rejected,
                Metric.REJECTED_ROW_SHARE: 100 * result.rejected / rows,
                Metric.SECONDS_TO_RESULT: _age(stored),
            }
        )

    def commit_unscorable(self, why: Unscorable, stored: StoredObject) -> None:
        upload = self._upload
        document = why.to_json(bucket=upload.bucket, key=upload.key, version_id=upload.version_id)
        if not self._commit(self._unscorable, BytesIO(document.encode()), "application/json"):
            return
        log.warning(
            "unscorable", extra={"reason": why.code, "detail": why.message, "result": self._unscorable}
        )
        self._scorer.metrics.emit({Metric.UPLOADS_UNSCORABLE: 1, Metric.SECONDS_TO_RESULT: _age(stored)})

    def _commit(self, key: str, body: IO[bytes], content_type: str) -> bool:
        """Whether this delivery gave the upload its outcome; if not, another did."""

        def create() -> None:
            body.seek(0)
            self._scorer.results.create(key, body, content_type)

        created = False
        if not self.settled():
            with suppress(AlreadyExists):
                Patience(spare_seconds=self._scorer.time_left, sleep=self._scorer.sleep)(create)
                created = True
            # Also where the object was there: a lost answer may have been to this delivery's own attempt.
            created = key.startswith(str(self.settled())) and created
        if not created:
            log.info("another delivery was first")
        return created


def _age(stored: StoredObject) -> float:
    return max(0.0, (datetime.now(UTC) - stored.last_modified).total_seconds())
