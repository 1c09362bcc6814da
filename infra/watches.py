"""What is worth a page: one entry an alarm."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch

from contract.metrics import Metric
from infra.batch import Batch
from infra.paging import Paging
from infra.reconciliation import Reconciliation
from infra.release import Release
from infra.scoring import Scoring
from infra.settings.environment import Alarms as AlarmSettings
from infra.training import Training

ENDS = {"failed": "ExecutionsFailed", "timed-out": "ExecutionsTimedOut", "aborted": "ExecutionsAborted"}
"""How an execution of a state machine ends badly, and the metric that counts it."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One alarm: a metric's statistic over a period that is above a threshold is worth a page."""

    name: str
    metric: cloudwatch.Metric
    statistic: str = "Sum"
    above: float = 0
    periods: int = 1
    means: str
    do: str
    runbook: str
    # Counts are not sent while they are nought, so silence is good news, and the alarm clears by itself.
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


def watch_uploads(scoring: Scoring, reconciliation: Reconciliation, settings: AlarmSettings) -> list[Watch]:
    percent = settings.rejected_row_percent
    return [
        Watch(
            name="unscorable-uploads",
            metric=scoring.metric(Metric.UPLOADS_UNSCORABLE),
            means="An uploaded file could not be read as this model's table; nothing of it was scored.",
            do="read its unscorable/ document in the results bucket and tell whoever uploaded it.",
            runbook="unscorable-uploads",
        ),
        Watch(
            name="rejected-rows",
            metric=scoring.metric(Metric.REJECTED_ROW_SHARE),
            statistic="Maximum",
            above=percent,
            means=f"More than {percent:g}% of an upload's rows came back without a prediction.",
            do="look at the column `rejected` of the result: one cause usually explains most rows.",
            runbook="rejected-rows",
        ),
        Watch(
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


def watch_queues(
    scoring: Scoring,
    reconciliation: Reconciliation,
    training: Training,
    release: Release,
    paging: Paging,
    settings: AlarmSettings,
) -> list[Watch]:
    dead = {
        "score": ("uploads to score", scoring.uploads.metric_dead_letters()),
        "training": ("training uploads", training.uploads.metric_dead_letters()),
        "failure": ("training runs that failed", training.failures.metric_dead_letters()),
        "release": ("approvals", release.metric_dead_letters()),
        "page": ("pages", paging.metric_dead_letters()),
    }
    seconds = settings.oldest_message_seconds
    waiting = {
        "score": ("An upload to score", scoring.uploads.metric_oldest_message(), seconds),
        "training": (
            "A training upload",
            training.uploads.metric_oldest_message(),
            seconds + training.quiet_seconds,
        ),
    }
    undelivered = {
        "score": scoring.uploads.metric_undelivered(),
        "training": training.uploads.metric_undelivered(),
        "failure": training.failures.metric_undelivered(),
        "release": release.metric_undelivered(),
        "reconciliation": reconciliation.metric_undelivered(),
    }
    return [
        *(
            Watch(
                name=f"{queue}-dead-letters",
                metric=metric,
                statistic="Maximum",
                means=f"Messages about {what} were given up on and wait in the dead-letter queue.",
                do="find the reason in the function's log, then send the messages back.",
                runbook="dead-letters",
                # A queue reports its depth, nought too; a gap says nothing, and must not end the alarm.
                missing=cloudwatch.TreatMissingData.IGNORE,
            )
            for queue, (what, metric) in dead.items()
        ),
        *(
            Watch(
                name=f"{queue}-oldest-message",
                metric=metric,
                statistic="Maximum",
                above=seconds,
                means=f"{what} has waited for more than {seconds} s; nothing is lost.",
                do="see whether the endpoint is in service and the function runs.",
                runbook="oldest-message",
            )
            for queue, (what, metric, seconds) in waiting.items()
        ),
        *(
            Watch(
                name=f"{queue}-undelivered-events",
                metric=metric,
                means="EventBridge could not hand an event to its target; it went to the dead-letter queue.",
                do="check the target's policy, then send the event on from the dead-letter queue.",
                runbook="undelivered-events",
            )
            for queue, metric in undelivered.items()
        ),
    ]


def watch_functions(
    scoring: Scoring, reconciliation: Reconciliation, training: Training, release: Release
) -> list[Watch]:
    functions = {
        "start-training": training.function,
        "report-failure": training.failures.function,
        "score-upload": scoring.function,
        "reconcile-uploads": reconciliation.function,
        "verify-package": release.function,
    }
    return [
        watch
        for name, function in functions.items()
        for watch in (
            Watch(
                name=f"{name}-errors",
                metric=function.metric("Errors"),
                means=f"The function {function.name} crashed or ran out of time or memory.",
                do="read its log; messages it had are delivered again by themselves.",
                runbook="function-errors",
            ),
            Watch(
                name=f"{name}-throttles",
                metric=function.metric("Throttles"),
                periods=3,
                means=f"The function {function.name} may not run as often as it is asked to.",
                do="compare the account's Lambda concurrency with what is in use.",
                runbook="function-throttles",
            ),
        )
    ]


def watch_batch(batch: Batch) -> list[Watch]:
    return [
        Watch(
            name=f"batch-{end}",
            metric=batch.metric(metric),
            means=f"Scoring a large upload {end.replace('-', ' ')}; it has no outcome yet.",
            do="open the execution, put right what it says, and start it again with the same input.",
            runbook="batch-failed",
        )
        for end, metric in ENDS.items()
    ]


def watch_endpoint(release: Release, settings: AlarmSettings) -> list[Watch]:
    return [
        Watch(
            name="endpoint-errors",
            metric=release.metric_endpoint("Invocation5XXErrors"),
            means="The model server answered 5xx; the uploads concerned are tried again.",
            do="read the endpoint's log, and compare with the time of the last release.",
            runbook="endpoint-errors",
        ),
        Watch(
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


def watch_model(training: Training, release: Release) -> list[Watch]:
    return [
        Watch(
            name="pipeline-failed",
            metric=training.failures.metric(Metric.RUNS_PAGED),
            means="A training run failed, and not by data or code that somebody just handed in.",
            do="read its sentence in ./millrace status: it says which step, and whose it is.",
            runbook="pipeline-failed",
        ),
        *(
            Watch(
                name=f"release-{end}",
                metric=release.metric(metric),
                means=f"A release {end.replace('-', ' ')}; the version before it still serves.",
                do="open the execution and read the state it ended in.",
                runbook="release-failed",
            )
            for end, metric in ENDS.items()
        ),
    ]
