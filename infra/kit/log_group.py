"""A log group encrypted with the model's key."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.kit.deployment import Deployment
from infra.kit.iam import arn


class LogGroup(Construct):
    """A named log group, whose entries are kept as long as the settings say."""

    def __init__(self, scope: Construct, construct_id: str, *, deployment: Deployment, name: str) -> None:
        super().__init__(scope, construct_id)
        group = logs.CfnLogGroup(
            self,
            "Group",
            log_group_name=name,
            kms_key_id=deployment.storage.key_arn,
            retention_in_days=deployment.settings.retention.log_days,
        )
        group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        self.arn = arn(self, "logs", f"log-group:{name}")
        self.reference = logs.LogGroup.from_log_group_name(self, "Reference", group.ref)
