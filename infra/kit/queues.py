"""Queues that no function consumes, dead letters above all, and the alarms of rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.names.outputs import Kind, output_key
from infra.kit.alarm import AlarmSpec
from infra.kit.iam import acknowledge

RETENTION = cdk.Duration.days(14)
"""SQS's longest."""


class DeadEndQueue(sqs.Queue):
    """A queue that no code consumes, and so needs no dead letters of its own."""

    def __init__(self, scope: Construct, construct_id: str, *, because: str) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=RETENTION,
        )
        acknowledge(self, {"AwsSolutions-SQS3": because, "Serverless-SQSRedrivePolicy": because})


class DeadLetterQueue(DeadEndQueue):
    """The queue where messages that were given up on wait: the dead letters of `name`.

    `about` says what its messages are about, in the plural.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, about: str) -> None:
        because = "Dead letters: a person looks at them, and an alarm says when."
        super().__init__(scope, construct_id, because=because)
        self._name, self._about = name, about

    def alarms(self) -> Iterator[AlarmSpec]:
        """One for dead letters that wait."""
        yield AlarmSpec(
            name=f"{self._name}-dead-letters",
            metric=queue_metric(self, "ApproximateNumberOfMessagesVisible"),
            statistic="Maximum",
            means=f"Messages about {self._about} were given up on and wait in the dead-letter queue.",
            do="find the reason in the function's log, then send the messages back.",
            runbook="dead-letters",
            # A queue reports its depth, zero too; a gap says nothing, and must not end the alarm.
            missing=cloudwatch.TreatMissingData.IGNORE,
        )

    def outputs(self) -> Mapping[str, str]:
        """Its URL."""
        return {output_key(self._name, Kind.DEAD_LETTER_QUEUE): self.queue_url}


class RuleDelivery:
    """The delivery of a rule's events. `name` is that of the rule's alarm."""

    def __init__(self, rule_name: str, *, name: str) -> None:
        self._rule_name, self._name = rule_name, name

    def alarms(self) -> Iterator[AlarmSpec]:
        """One for events whose delivery failed for good."""
        yield AlarmSpec(
            name=f"{self._name}-undelivered-events",
            metric=cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="FailedInvocations",
                dimensions_map={"RuleName": self._rule_name},
            ),
            means="EventBridge could not hand an event to its target; it went to the dead-letter queue.",
            do="check the target's policy, then send the event on from the dead-letter queue.",
            runbook="undelivered-events",
        )

    def outputs(self) -> Mapping[str, str]:
        """None."""
        return {}


def queue_metric(queue: sqs.IQueue, name: str) -> cloudwatch.Metric:
    """A metric that SQS emits about a queue."""
    return cloudwatch.Metric(
        namespace="AWS/SQS", metric_name=name, dimensions_map={"QueueName": queue.queue_name}
    )
