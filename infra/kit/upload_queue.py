"""From an upload to a queue: the rule, the queue and its dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.events import OBJECT_CREATED, SOURCE
from contract.names.outputs import Kind, Redrive, RedriveRoute, output_key
from infra.kit.alarm import AlarmSpec
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.iam import Allow
from infra.kit.queues import DeadLetterQueue, RuleDelivery, queue_metric


class UploadQueue(Composite, Construct):
    """A message for each object created under a prefix of a bucket: the data bucket, unless another is named.

    What cannot be delivered or was received too often ends in its dead letters. `name` is that of the
    queue's alarms, outputs and redrive route; `about` names its uploads, one and several of them. A message
    may wait for `usual_wait_seconds` by design.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        name: str,
        about: tuple[str, str],
        prefix: str,
        max_receives: int,
        consumer_timeout_seconds: int,
        window_seconds: int = 0,
        usual_wait_seconds: int = 0,
        bucket: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        one, several = about
        self._name, self._one = name, one
        self._oldest_seconds = deployment.settings.alarms.oldest_message_seconds + usual_wait_seconds
        dead_letters = DeadLetterQueue(self, "DeadLetters", name=name, about=several)
        self.queue = sqs.Queue(
            self,
            "Queue",
            # Messages name objects and hold nothing of theirs; SQS's own key needs no key policy
            # that, once wrong, would lose events in silence.
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            # Lambda's rule: with less, a message could be handed out while it is still worked on.
            visibility_timeout=cdk.Duration.seconds(6 * consumer_timeout_seconds + window_seconds),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=max_receives, queue=dead_letters),
        )
        pattern = {
            "bucket": {"name": [bucket or deployment.storage.data_bucket]},
            "object": {"key": [{"prefix": prefix}]},
        }
        rule = events.Rule(
            self,
            "Rule",
            description=f"Objects created under {prefix} become messages",
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=[OBJECT_CREATED], detail=pattern),
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=dead_letters)],
        )
        self.parts = (dead_letters, RuleDelivery(rule.rule_name, name=name))
        self.consume = Allow(
            actions=[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            resources=[self.queue.queue_arn],
        )

    def own_alarms(self) -> Iterator[AlarmSpec]:
        """One for uploads that wait for too long."""
        yield AlarmSpec(
            name=f"{self._name}-oldest-message",
            metric=queue_metric(self.queue, "ApproximateAgeOfOldestMessage"),
            statistic="Maximum",
            above=self._oldest_seconds,
            means=f"{self._one} has waited for more than {self._oldest_seconds} s; nothing is lost.",
            do="see whether the endpoint is in service and the function runs.",
            runbook="oldest-message",
        )

    def own_outputs(self) -> Mapping[str, str]:
        """The queue's URL, also as where dead letters go back to."""
        url = self.queue.queue_url
        return {
            output_key(self._name, Kind.QUEUE): url,
            output_key(self._name, Kind.REDRIVE_ROUTE): str(RedriveRoute(Redrive.SEND, url)),
        }
