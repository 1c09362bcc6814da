"""Whether work arrives and is taken on: queues, rules and functions."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.alarms.paging import Paging
from infra.alarms.spec import AlarmSpec
from infra.release.construct import Release
from infra.scoring.construct import Scoring
from infra.scoring.reconciliation import Reconciliation
from infra.settings.environment import Alarms as AlarmSettings
from infra.training.construct import Training


def watch_queues(
    scoring: Scoring,
    reconciliation: Reconciliation,
    training: Training,
    release: Release,
    paging: Paging,
    settings: AlarmSettings,
) -> list[AlarmSpec]:
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
            AlarmSpec(
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
            AlarmSpec(
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
            AlarmSpec(
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
) -> list[AlarmSpec]:
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
            AlarmSpec(
                name=f"{name}-errors",
                metric=function.metric("Errors"),
                means=f"The function {function.name} crashed or ran out of time or memory.",
                do="read its log; messages it had are delivered again by themselves.",
                runbook="function-errors",
            ),
            AlarmSpec(
                name=f"{name}-throttles",
                metric=function.metric("Throttles"),
                periods=3,
                means=f"The function {function.name} may not run as often as it is asked to.",
                do="compare the account's Lambda concurrency with what is in use.",
                runbook="function-throttles",
            ),
        )
    ]
