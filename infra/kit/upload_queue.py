"""From an upload to a queue: the rule, the queue and its dead letters."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.events import OBJECT_CREATED, SOURCE
from infra.kit.iam import Allow
from infra.kit.queues import dead_letter_queue, queue_metric, rule_metric


class UploadQueue(Construct):
    """A message for each object created under a prefix of a bucket.

    What cannot be delivered or was received too often ends in `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket_name: str,
        prefix: str,
        max_receives: int,
        consumer_timeout_seconds: int,
        window_seconds: int = 0,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = dead_letter_queue(self, "DeadLetters")
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
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=max_receives, queue=self.dead_letters),
        )
        self.rule = events.Rule(
            self,
            "Rule",
            description=f"Objects created under {prefix} become messages",
            event_pattern=events.EventPattern(
                source=[SOURCE],
                detail_type=[OBJECT_CREATED],
                detail={"bucket": {"name": [bucket_name]}, "object": {"key": [{"prefix": prefix}]}},
            ),
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.dead_letters)],
        )
        self.consume = Allow(
            actions=[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            resources=[self.queue.queue_arn],
        )

    def metric_oldest_message(self) -> cloudwatch.Metric:
        """Seconds the oldest message has waited."""
        return queue_metric(self.queue, "ApproximateAgeOfOldestMessage")

    def metric_dead_letters(self) -> cloudwatch.Metric:
        """How many messages were given up on."""
        return queue_metric(self.dead_letters, "ApproximateNumberOfMessagesVisible")

    def metric_undelivered(self) -> cloudwatch.Metric:
        """Events that EventBridge could not hand over."""
        return rule_metric(self.rule.rule_name)
