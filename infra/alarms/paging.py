"""Paging: one encrypted topic and its subscribers."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from contract.names.outputs import Output
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.iam import arn
from infra.kit.queues import DeadEndQueue, DeadLetterQueue


class Paging(Composite, Construct):
    """The topic `<deployment>-pages`. `inbox` is a queue that gets every page, where one is wanted."""

    def __init__(self, scope: Construct, construct_id: str, *, deployment: Deployment) -> None:
        super().__init__(scope, construct_id)
        settings = deployment.settings.paging
        stack = cdk.Stack.of(self)
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"{deployment.name}-pages",
            master_key=kms.Key.from_key_arn(self, "Key", deployment.storage.key_arn),
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
                    "ArnLike": {"aws:SourceArn": arn(self, "cloudwatch", f"alarm:{deployment.name}-*")},
                },
            )
        )
        dead_letters = DeadLetterQueue(self, "DeadLetters", name="page", about="pages")
        self.parts = (dead_letters,)
        for address in settings.emails:
            self.topic.add_subscription(
                subscriptions.EmailSubscription(address, dead_letter_queue=dead_letters)
            )
        for url in settings.https:
            self.topic.add_subscription(subscriptions.UrlSubscription(url, dead_letter_queue=dead_letters))
        self.inbox: sqs.Queue | None = None
        if settings.inbox:
            self.inbox = DeadEndQueue(self, "Inbox", because="People read the pages here.")
            self.topic.add_subscription(
                subscriptions.SqsSubscription(self.inbox, dead_letter_queue=dead_letters)
            )

    def own_outputs(self) -> Mapping[str, str]:
        """The topic, and the queue that gets every page, where there is one."""
        outputs: dict[str, str] = {Output.PAGE_TOPIC: self.topic.topic_arn}
        if self.inbox:
            outputs[Output.PAGE_INBOX] = self.inbox.queue_url
        return outputs
