"""Reconciliation: uploads whose event was lost are searched for on a schedule and put back on the queue."""

from __future__ import annotations

from collections.abc import Iterator

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from contract.layout import RECONCILIATION_KEY, SCORE_PREFIX, SCORED_PREFIX, UNSCORABLE_PREFIX
from contract.names.metrics import Metric
from infra.batch.construct import Batch
from infra.kit.alarm import AlarmSpec
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import Allow, acknowledge, list_objects, use_key
from infra.kit.queues import RuleDelivery
from infra.scoring.construct import Scoring

TIMEOUT_SECONDS = 600


class Reconciliation(Composite, Construct):
    """A function that a rule calls every few minutes."""

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, scoring: Scoring, batch: Batch
    ) -> None:
        super().__init__(scope, construct_id)
        settings, storage = deployment.settings.reconciliation, deployment.storage
        self._deployment = deployment
        function = Function(
            self,
            "ReconcileUploads",
            deployment=deployment,
            name="reconcile_uploads",
            log_source="reconcile",
            description="Finds uploads without an outcome and puts them back on the queue",
            variables={
                "DATA_BUCKET": storage.data_bucket,
                "RESULTS_BUCKET": storage.results_bucket,
                "ARTIFACTS_BUCKET": storage.artifacts_bucket,
                "QUEUE_URL": scoring.uploads.queue.queue_url,
                "BATCH_STATE_MACHINE": batch.machine.arn,
                "AFTER_SECONDS": str(settings.after_minutes * 60),
            },
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=512,
            allows=self._allows(deployment, scoring, batch),
        )
        rule = events.Rule(
            self,
            "Rule",
            description="Time to look for uploads without an outcome",
            schedule=events.Schedule.rate(cdk.Duration.minutes(settings.every_minutes)),
            targets=[targets.LambdaFunction(function.function)],
        )
        reason = "A call that is lost is made good by the next; that calls fail is an alarm."
        acknowledge(rule, {"Serverless-EventBusDLQ": reason})
        self.parts = (function, RuleDelivery(rule.rule_name, name="reconciliation"))

    def own_alarms(self) -> Iterator[AlarmSpec]:
        """One for uploads that stay without an outcome."""
        yield AlarmSpec(
            name="uploads-without-outcome",
            metric=self._deployment.metric(Metric.UPLOADS_WITHOUT_OUTCOME),
            statistic="Maximum",
            means="Uploads have waited for their result for longer than all tries take.",
            do="they are on the queue again; if this stays, redrive the dead letters.",
            runbook="uploads-without-outcome",
            # Each run reports the number, zero too; the time between two runs says nothing.
            missing=cloudwatch.TreatMissingData.IGNORE,
        )

    def _allows(self, deployment: Deployment, scoring: Scoring, batch: Batch) -> list[Allow]:
        storage = deployment.storage
        return [
            list_objects(storage.data_arn, SCORE_PREFIX, versions=True),
            list_objects(storage.results_arn, SCORED_PREFIX, UNSCORABLE_PREFIX),
            # Without the right to list, what is not there yet would be "denied".
            list_objects(storage.artifacts_arn, RECONCILIATION_KEY),
            Allow(
                actions=["s3:GetObject", "s3:PutObject"],
                resources=[f"{storage.artifacts_arn}/{RECONCILIATION_KEY}"],
            ),
            Allow(actions=["sqs:SendMessage"], resources=[scoring.uploads.queue.queue_arn]),
            Allow(actions=["states:ListExecutions"], resources=[batch.machine.arn]),
            use_key(self, storage.key_arn),
        ]
