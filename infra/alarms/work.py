"""What becomes of work: uploads, batches, runs, releases, and requests to the endpoint."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch

from contract.metrics import Metric
from infra.alarms.spec import AlarmSpec
from infra.batch.construct import Batch
from infra.release.construct import Release
from infra.scoring.construct import Scoring
from infra.scoring.reconciliation import Reconciliation
from infra.settings.environment import Alarms as AlarmSettings
from infra.training.construct import Training

ENDS = {"failed": "ExecutionsFailed", "timed-out": "ExecutionsTimedOut", "aborted": "ExecutionsAborted"}
"""How an execution of a state machine ends badly, and the metric that counts it."""


def watch_uploads(
    scoring: Scoring, reconciliation: Reconciliation, settings: AlarmSettings
) -> list[AlarmSpec]:
    percent = settings.rejected_row_percent
    return [
        AlarmSpec(
            name="unscorable-uploads",
            metric=scoring.metric(Metric.UPLOADS_UNSCORABLE),
            means="An uploaded file could not be read as this model's table; nothing of it was scored.",
            do="read its unscorable/ document in the results bucket and tell whoever uploaded it.",
            runbook="unscorable-uploads",
        ),
        AlarmSpec(
            name="rejected-rows",
            metric=scoring.metric(Metric.REJECTED_ROW_SHARE),
            statistic="Maximum",
            above=percent,
            means=f"More than {percent:g}% of an upload's rows came back without a prediction.",
            do="look at the column `rejected` of the result: one cause usually explains most rows.",
            runbook="rejected-rows",
        ),
        AlarmSpec(
            name="uploads-without-outcome",
            metric=reconciliation.metric(Metric.UPLOADS_WITHOUT_OUTCOME),
            statistic="Maximum",
            means="Uploads have waited for their result for longer than all tries take.",
            do="they are on the queue again; if this stays, redrive the dead letters.",
            runbook="uploads-without-outcome",
            # Each run says how many, nought too; the time between two runs says nothing.
            missing=cloudwatch.TreatMissingData.IGNORE,
        ),
    ]


def watch_batch(batch: Batch) -> list[AlarmSpec]:
    return [
        AlarmSpec(
            name=f"batch-{end}",
            metric=batch.metric(metric),
            means=f"Scoring a large upload {end.replace('-', ' ')}; it has no outcome yet.",
            do="open the execution, put right what it says, and start it again with the same input.",
            runbook="batch-failed",
        )
        for end, metric in ENDS.items()
    ]


def watch_endpoint(release: Release, settings: AlarmSettings) -> list[AlarmSpec]:
    return [
        AlarmSpec(
            name="endpoint-errors",
            metric=release.metric_endpoint("Invocation5XXErrors"),
            means="The model server answered 5xx; the uploads concerned are tried again.",
            do="read the endpoint's log, and compare with the time of the last release.",
            runbook="endpoint-errors",
        ),
        AlarmSpec(
            name="endpoint-latency",
            metric=release.metric_endpoint("ModelLatency"),
            statistic="p99",
            above=settings.p99_latency_ms * 1000,  # SageMaker counts microseconds
            periods=3,
            means=f"One request in a hundred took the model server more than {settings.p99_latency_ms} ms.",
            do="look at the instances' CPU and the size of the requests; add instances.",
            runbook="endpoint-latency",
        ),
    ]


def watch_model(training: Training, release: Release) -> list[AlarmSpec]:
    return [
        AlarmSpec(
            name="pipeline-failed",
            metric=training.failures.metric(Metric.RUNS_PAGED),
            means="A training run failed, and not by data or code that somebody just handed in.",
            do="read its sentence in ./millrace status: it says which step, and whose it is.",
            runbook="pipeline-failed",
        ),
        *(
            AlarmSpec(
                name=f"release-{end}",
                metric=release.metric(metric),
                means=f"A release {end.replace('-', ' ')}; the version before it still serves.",
                do="open the execution and read the state it ended in.",
                runbook="release-failed",
            )
            for end, metric in ENDS.items()
        ),
    ]
