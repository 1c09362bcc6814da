"""Who is told when something is wrong: one encrypted topic and its subscribers."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.permissions import acknowledge
from infra.settings.environment import Paging as PagingSettings


class Paging(Construct):
    """The topic `<prefix>-pages`. `inbox` is a queue that gets every page, where one is wanted."""

    def __init__(
        self, scope: Construct, construct_id: str, *, prefix: str, key_arn: str, settings: PagingSettings
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"{prefix}-pages",
            master_key=kms.Key.from_key_arn(self, "Key", key_arn),
            enforce_ssl=True,
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisModel",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {
                        "aws:SourceArn": f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}"
                        f":alarm:{prefix}-*"
                    },
                },
            )
        )
        for address in settings.emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        for url in settings.https:
            self.topic.add_subscription(subscriptions.UrlSubscription(url))
        self.inbox = self._inbox() if settings.inbox else None

    def _inbox(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Inbox",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        self.topic.add_subscription(subscriptions.SqsSubscription(queue))
        read = "People read the pages here: nothing consumes them and fails."
        rules = ("AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy", "Serverless-SNSRedrivePolicy")
        acknowledge(queue, dict.fromkeys(rules, read))
        return queue
