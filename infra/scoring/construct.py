"""Scoring: an upload under `score/` becomes one object in the results bucket."""

from __future__ import annotations

from collections.abc import Iterator

from constructs import Construct

from contract.layout import BATCH_PREFIX, SCORE_PREFIX, SCORED_PREFIX, UNSCORABLE_PREFIX
from contract.names.batch import UPLOAD_FILE
from contract.names.metrics import UNSCORABLE_ALARM, Metric
from contract.serving import MAX_REQUEST_BYTES, MAX_SERVERLESS_BYTES
from infra.batch.construct import Batch
from infra.kit.alarm import AlarmSpec
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.function import MAX_DISK_MIB, MIN_DISK_MIB, Function
from infra.kit.iam import Allow, arn, list_objects, read_objects, use_key, write_objects
from infra.kit.upload_queue import UploadQueue

DISK_FACTOR = 10


class Scoring(Composite, Construct):
    """Queue and function that put uploads through the endpoint, or to the batch path."""

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, endpoint: str, batch: Batch
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        settings = deployment.settings.scoring
        self.uploads = UploadQueue(
            self,
            "Uploads",
            deployment=deployment,
            name="score",
            about=("An upload to score", "uploads to score"),
            prefix=SCORE_PREFIX,
            max_receives=settings.max_receives,
            consumer_timeout_seconds=settings.timeout_seconds,
        )
        self.function = Function(
            self,
            "ScoreUpload",
            deployment=deployment,
            name="score_upload",
            log_source="score",
            description="Streams an upload through the endpoint and commits one result",
            variables={
                "RESULTS_BUCKET": deployment.storage.results_bucket,
                "ARTIFACTS_BUCKET": deployment.storage.artifacts_bucket,
                "BATCH_STATE_MACHINE": batch.machine.arn,
                "ENDPOINT": endpoint,
                "QUEUE_URL": self.uploads.queue.queue_url,
                "MAX_UPLOAD_BYTES": str(_most_for_the_endpoint(deployment)),
                "MAX_REQUEST_BYTES": str(
                    MAX_REQUEST_BYTES if deployment.serving.has_instances else MAX_SERVERLESS_BYTES
                ),
                "RETRY_SECONDS": str(settings.retry_seconds),
            },
            timeout_seconds=settings.timeout_seconds,
            memory_mib=settings.memory_mib,
            disk_mib=_disk_mib(settings.max_upload_mib),
            allows=[self.uploads.consume, *self._allows(deployment, endpoint, batch)],
        )
        # One file a call: each has the function's whole time, and a crash delays no other.
        self.function.consume(
            self.uploads.queue.queue_arn, batch_size=1, max_concurrency=settings.max_concurrency
        )
        self.parts = (self.uploads, self.function)

    def own_alarms(self) -> Iterator[AlarmSpec]:
        """One for files and one for rows that could not be scored, and one for values new to the model."""
        alarms = self._deployment.settings.alarms
        yield AlarmSpec(
            name=UNSCORABLE_ALARM,
            metric=self._deployment.metric(Metric.UPLOADS_UNSCORABLE),
            means="An uploaded file could not be read as this model's table; nothing of it was scored.",
            do="read its unscorable/ document in the results bucket and tell whoever uploaded it.",
            runbook=UNSCORABLE_ALARM,
        )
        yield AlarmSpec(
            name="rejected-rows",
            metric=self._deployment.metric(Metric.REJECTED_ROW_SHARE),
            statistic="Maximum",
            above=alarms.rejected_row_percent,
            means=f"More than {alarms.rejected_row_percent:g}% of an upload's rows came back without "
            "a prediction.",
            do="look at the column `rejected` of the result: one cause usually explains most rows.",
            runbook="rejected-rows",
        )
        yield AlarmSpec(
            name="unseen-categories",
            metric=self._deployment.metric(Metric.UNSEEN_CATEGORY_SHARE),
            statistic="Maximum",
            above=alarms.unseen_category_percent,
            means=f"More than {alarms.unseen_category_percent:g}% of an upload's rows have a category that "
            "the model does not know: they were scored without it.",
            do="see in the upload's log line which column it is, and how its values are written.",
            runbook="unseen-categories",
        )

    def _allows(self, deployment: Deployment, endpoint: str, batch: Batch) -> list[Allow]:
        storage = deployment.storage
        return [
            read_objects(storage.data_arn, f"{SCORE_PREFIX}*", versions=True),
            # To distinguish an upload that was deleted from one that may not be read.
            list_objects(storage.data_arn, SCORE_PREFIX, versions=True),
            # To see whether an upload has its outcome; the outcome itself is not read.
            list_objects(storage.results_arn, SCORED_PREFIX, UNSCORABLE_PREFIX),
            write_objects(storage.results_arn, f"{SCORED_PREFIX}*", f"{UNSCORABLE_PREFIX}*"),
            Allow(
                actions=["s3:DeleteObject"],
                resources=[f"{storage.results_arn}/{UNSCORABLE_PREFIX}*"],
                because="Hides, and keeps as a version, the one of two outcomes that another model gave.",
            ),
            write_objects(storage.artifacts_arn, f"{BATCH_PREFIX}*/{UPLOAD_FILE}"),
            Allow(actions=["states:StartExecution"], resources=[batch.machine.arn]),
            use_key(self, storage.key_arn),
            *([self._invoke(endpoint)] if deployment.serving.has_endpoint else []),
        ]

    def _invoke(self, endpoint: str) -> Allow:
        named = arn(self, "sagemaker", f"endpoint/{endpoint}")
        return Allow(actions=["sagemaker:InvokeEndpoint"], resources=[named])


def _disk_mib(max_upload_mib: int) -> int:
    """Room for an upload's lines and its result, which is longer: each row that is rejected says why."""
    return min(max(DISK_FACTOR * max_upload_mib, MIN_DISK_MIB), MAX_DISK_MIB)


def _most_for_the_endpoint(deployment: Deployment) -> int:
    """In bytes, of an upload. Nothing is small enough for an endpoint that does not exist."""
    if not deployment.serving.has_endpoint:
        return 0
    return deployment.settings.scoring.max_upload_mib * 1024 * 1024
