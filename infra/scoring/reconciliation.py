"""Reconciliation: uploads whose event was lost are found on a schedule and put back on the queue."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from contract.layout import RECONCILIATION_KEY, SCORE_PREFIX, SCORED_PREFIX, UNSCORABLE_PREFIX
from infra.batch.construct import Batch
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import Allow, acknowledge, list_objects, use_key
from infra.kit.queues import rule_metric
from infra.scoring.construct import Scoring

TIMEOUT_SECONDS = 600


class Reconciliation(Construct):
    """A function that a rule calls every few minutes."""

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, scoring: Scoring, batch: Batch
    ) -> None:
        super().__init__(scope, construct_id)
        settings, storage = deployment.settings.reconciliation, deployment.storage
        self.metric = deployment.metric
        self.function = Function(
            self,
            "ReconcileUploads",
            deployment=deployment,
            name="reconcile_uploads",
            description="Finds uploads without an outcome and puts them back on the queue",
            variables={
                "DATA_BUCKET": storage.data_bucket,
                "RESULTS_BUCKET": storage.results_bucket,
                "ARTIFACTS_BUCKET": storage.artifacts_bucket,
                "QUEUE_URL": scoring.uploads.queue.queue_url,
                "BATCH_STATE_MACHINE": batch.machine.attr_arn,
                "AFTER_SECONDS": str(settings.after_minutes * 60),
            },
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=512,
            allows=self._allows(deployment, scoring, batch),
        )
        self._rule = events.Rule(
            self,
            "Rule",
            description="Time to look for uploads without an outcome",
            schedule=events.Schedule.rate(cdk.Duration.minutes(settings.every_minutes)),
            targets=[targets.LambdaFunction(self.function.function)],
        )
        reason = "A call that is lost is made good by the next; that calls fail is an alarm."
        acknowledge(self._rule, {"Serverless-EventBusDLQ": reason})

    def metric_undelivered(self) -> cloudwatch.Metric:
        """Calls that EventBridge could not make."""
        return rule_metric(self._rule.rule_name)

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
            Allow(actions=["states:ListExecutions"], resources=[batch.machine.attr_arn]),
            use_key(self, storage.key_arn),
        ]
