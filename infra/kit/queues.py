"""Queues that end here, and the metrics of queues and rules."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.kit.iam import acknowledge

RETENTION = cdk.Duration.days(14)
"""SQS's longest."""


def dead_letter_queue(scope: Construct, construct_id: str) -> sqs.Queue:
    """Where messages that were given up on wait for a person."""
    return dead_end_queue(
        scope, construct_id, because="Dead letters: a person looks at them, and an alarm says when."
    )


def dead_end_queue(scope: Construct, construct_id: str, *, because: str) -> sqs.Queue:
    """A queue that no code consumes, and so needs no dead letters of its own."""
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=RETENTION,
    )
    acknowledge(queue, {"AwsSolutions-SQS3": because, "Serverless-SQSRedrivePolicy": because})
    return queue


def queue_metric(queue: sqs.IQueue, name: str) -> cloudwatch.Metric:
    """A metric that SQS emits about a queue."""
    return cloudwatch.Metric(
        namespace="AWS/SQS", metric_name=name, dimensions_map={"QueueName": queue.queue_name}
    )


def rule_metric(rule_name: str) -> cloudwatch.Metric:
    """Invocations of a rule's targets that failed for good."""
    return cloudwatch.Metric(
        namespace="AWS/Events", metric_name="FailedInvocations", dimensions_map={"RuleName": rule_name}
    )
