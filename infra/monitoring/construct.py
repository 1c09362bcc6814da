"""Monitoring: what is predicted is counted, and judged by what it adds up to."""

from __future__ import annotations

from collections.abc import Iterator

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from contract.layout import SCORED_PREFIX
from contract.names.metrics import Metric
from contract.names.monitoring import INBOX_PREFIX
from infra.kit.alarm import AlarmSpec
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import arn, use_key, write_objects
from infra.kit.image import Image
from infra.kit.queues import DeadLetterQueue, RuleDelivery
from infra.kit.state_machine import StateMachine, Trouble
from infra.kit.upload_queue import UploadQueue
from infra.monitoring.definition import MonitorDefinition
from infra.monitoring.roles import job_role, schedule_role, state_machine_role
from infra.settings.model import ModelMonitoringSettings

NAME = "monitor"
TIMEOUT_SECONDS = 60
WINDOW_SECONDS = 20
"""Results gather for so long before the function is called with them."""
_BATCH, _RECEIVES = 1_000, 8
_TROUBLE = Trouble(
    subject="A run of the monitor",
    effect="what was predicted since is not judged yet",
    do="read the job's log, then start it again: ./millrace monitor run.",
)


class Monitoring(Composite, Construct):
    """A function that notes new results, and the state machine `<deployment>-monitor` that looks at them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        image: Image,
        settings: ModelMonitoringSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        results = UploadQueue(
            self,
            "Results",
            deployment=deployment,
            name="prediction",
            about=("A result", "results to monitor"),
            prefix=SCORED_PREFIX,
            bucket=deployment.storage.results_bucket,
            max_receives=_RECEIVES,
            consumer_timeout_seconds=TIMEOUT_SECONDS,
            window_seconds=WINDOW_SECONDS,
            usual_wait_seconds=WINDOW_SECONDS,
        )
        function = self._collect(results)
        self.machine = machine = self._machine(image, settings)
        dead_letters = DeadLetterQueue(self, "DeadLetters", name=NAME, about="runs of the monitor")
        rule = self._schedule(machine, dead_letters)
        self.parts = (results, function, machine, dead_letters, RuleDelivery(rule.ref, name=NAME))

    def own_alarms(self) -> Iterator[AlarmSpec]:
        """One for data that is not what the model was trained on."""
        yield AlarmSpec(
            name="drift",
            metric=self._deployment.metric(Metric.DRIFTED),
            statistic="Maximum",
            means="What the model is asked differs from what it was trained on; its answers may be wrong.",
            do="./millrace monitor tells which columns, since when, and how far.",
            runbook="drift",
            # Each run says so, or that it is not; the time between two runs says nothing.
            missing=cloudwatch.TreatMissingData.IGNORE,
        )

    def _collect(self, results: UploadQueue) -> Function:
        storage = self._deployment.storage
        function = Function(
            self,
            "CollectPredictions",
            deployment=self._deployment,
            name="collect_predictions",
            log_source="predictions",
            description="Notes new results for the monitor",
            variables={"ARTIFACTS_BUCKET": storage.artifacts_bucket},
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=256,
            allows=[
                results.consume,
                write_objects(storage.artifacts_arn, f"{INBOX_PREFIX}*"),
                use_key(self, storage.key_arn),
            ],
        )
        function.consume(
            results.queue.queue_arn, batch_size=_BATCH, max_concurrency=2, window_seconds=WINDOW_SECONDS
        )
        return function

    def _machine(self, image: Image, settings: ModelMonitoringSettings) -> StateMachine:
        deployment, storage = self._deployment, self._deployment.storage
        job = job_role(self, storage=storage, image=image)
        definition = MonitorDefinition(
            name=deployment.name,
            environment_name=deployment.environment_name,
            model=deployment.model,
            image_uri=image.uri,
            role_arn=job.role_arn,
            artifacts_bucket=storage.artifacts_bucket,
            results_bucket=storage.results_bucket,
            packages_arn=arn(self, "sagemaker", f"model-package/{storage.package_group}"),
            key_arn=storage.key_arn,
            monitoring=deployment.settings.monitoring,
            model_monitoring=settings,
        )
        role = state_machine_role(
            self, name=f"{deployment.name}-{NAME}", storage=storage, job_role_arn=job.role_arn
        )
        return StateMachine(
            self,
            deployment=deployment,
            name=NAME,
            role=role,
            definition=definition.to_dict(),
            trouble=_TROUBLE,
        )

    def _schedule(self, machine: StateMachine, dead_letters: DeadLetterQueue) -> events.CfnRule:
        name = f"{self._deployment.name}-{NAME}"
        minutes = self._deployment.settings.monitoring.every_minutes
        starter = schedule_role(self, name=name, machine_arn=machine.arn)
        rule = events.CfnRule(
            self,
            "Rule",
            description="Time to look at what was predicted",
            schedule_expression=events.Schedule.rate(cdk.Duration.minutes(minutes)).expression_string,
            targets=[
                {
                    "id": "Monitor",
                    "arn": machine.arn,
                    "roleArn": starter.role_arn,
                    "input": "{}",
                    "deadLetterConfig": {"arn": dead_letters.queue_arn},
                }
            ],
        )
        dead_letters.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RunsThatWereNotStarted",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[dead_letters.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        return rule
