"""The storage stack, which outlives everything else: the key, the buckets and the model package group."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from contract.layout import (
    BATCH_PREFIX,
    CAPTURED_PREFIX,
    CHECKPOINTS_KEPT_DAYS,
    CHECKPOINTS_PREFIX,
    resource_name,
)
from contract.names.outputs import Output
from infra.kit.iam import acknowledge, arn
from infra.kit.image import pull, repositories
from infra.kit.storage_names import Storage
from infra.release.roles import serving_role
from infra.settings import EnvironmentSettings
from infra.settings.model import ModelServingSettings


class StorageStack(cdk.Stack):
    """The stateful stack of one model in one environment. Nothing in it is deleted with it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        environment_name: str,
        model: str,
        environment: EnvironmentSettings,
        serving: ModelServingSettings,
        group_exists: bool = False,
        **stack: Any,
    ) -> None:
        """`group_exists` says that the model package group is left from an earlier storage stack."""
        super().__init__(scope, name, termination_protection=environment.protected, **stack)
        self._resources = resource_name(environment_name, model)
        self._environment = environment
        self._key = self._make_key()
        self._access_logs = self._make_access_logs()
        data = self._bucket("Data")
        results = self._bucket("Results", expire_days=environment.retention.result_days)
        artifacts = self._bucket("Artifacts")
        artifacts.add_lifecycle_rule(
            prefix=CAPTURED_PREFIX, expiration=cdk.Duration.days(environment.retention.captured_days)
        )
        artifacts.add_lifecycle_rule(
            prefix=BATCH_PREFIX, expiration=cdk.Duration.days(environment.batch.kept_days)
        )
        artifacts.add_lifecycle_rule(
            prefix=CHECKPOINTS_PREFIX, expiration=cdk.Duration.days(CHECKPOINTS_KEPT_DAYS)
        )
        for bucket in (data, results):
            _announce(bucket)
        if not group_exists:
            self._make_package_group(f"Versions of the model {model} in {environment_name}")
        own = Storage(
            data_bucket=data.bucket_name,
            results_bucket=results.bucket_name,
            artifacts_bucket=artifacts.bucket_name,
            key_arn=self._key.key_arn,
            package_group=self._resources,
            serving_role_arn="",
        )
        served = serving_role(
            self,
            endpoint=self._resources,
            mode=serving,
            storage=own,
            pull=pull(*repositories(self, environment.image_uri)),
        )
        self.storage = Storage(
            data_bucket=self._export(Output.DATA_BUCKET, own.data_bucket),
            results_bucket=self._export(Output.RESULTS_BUCKET, own.results_bucket),
            artifacts_bucket=self._export(Output.ARTIFACTS_BUCKET, own.artifacts_bucket),
            key_arn=self._export(Output.KEY, own.key_arn),
            package_group=self._resources,
            serving_role_arn=self._export(Output.SERVING_ROLE, served.role_arn),
        )
        cdk.CfnOutput(self, Output.PACKAGE_GROUP, value=self._resources)

    def _make_package_group(self, description: str) -> None:
        group = sagemaker.CfnModelPackageGroup(
            self,
            "PackageGroup",
            model_package_group_name=self._resources,
            model_package_group_description=description,
        )
        group.apply_removal_policy(cdk.RemovalPolicy.RETAIN)

    def _export(self, name: str, value: str) -> str:
        output = cdk.CfnOutput(self, name, value=value, export_name=f"{self.stack_name}:{name}")
        return output.import_value

    def _make_key(self) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            description=f"Everything of {self._resources} at rest",
            enable_key_rotation=True,
            alias=f"alias/{self._resources}",
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        # Services that use the key themselves. Roles are allowed by their own policies.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroupsOfThisModel",
                principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                actions=[
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:DescribeKey",
                ],
                resources=["*"],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": [
                            arn(self, "logs", f"log-group:/aws/lambda/{self._resources}-*"),
                            arn(self, "logs", f"log-group:/aws/vendedlogs/states/{self._resources}-*"),
                        ]
                    }
                },
            )
        )
        # Without this, a page about an alarm is dropped in silence.
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisModelToTheirTopic",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
                conditions={
                    "StringEquals": {"aws:SourceAccount": self.account},
                    "ArnLike": {"aws:SourceArn": arn(self, "cloudwatch", f"alarm:{self._resources}-*")},
                },
            )
        )
        return key

    def _make_access_logs(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            # S3 cannot deliver access logs to a bucket encrypted with a customer's key.
            encryption=s3.BucketEncryption.S3_MANAGED,
            lifecycle_rules=self._lifecycle(self._environment.retention.log_days),
            **self._hardened(),
        )
        acknowledge(
            bucket, {"AwsSolutions-S1": "This is the bucket access logs go to; logging it would never end."}
        )
        return bucket

    def _bucket(self, name: str, *, expire_days: int | None = None) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._key,
            bucket_key_enabled=True,
            server_access_logs_bucket=self._access_logs,
            server_access_logs_prefix=f"{name.lower()}/",
            lifecycle_rules=self._lifecycle(expire_days),
            **self._hardened(),
        )

    def _lifecycle(self, expire_days: int | None) -> list[s3.LifecycleRule]:
        kept = cdk.Duration.days(self._environment.retention.noncurrent_days)
        rules = [
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                noncurrent_version_expiration=kept,
                expired_object_delete_marker=True,
            )
        ]
        if expire_days:
            rules.append(s3.LifecycleRule(expiration=cdk.Duration.days(expire_days)))
        return rules

    def _hardened(self) -> dict[str, Any]:
        return {
            "versioned": True,
            "enforce_ssl": True,
            "minimum_tls_version": 1.2,
            "block_public_access": s3.BlockPublicAccess.BLOCK_ALL,
            "object_ownership": s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            "removal_policy": cdk.RemovalPolicy.RETAIN,
        }


def _announce(bucket: s3.Bucket) -> None:
    """Have a bucket tell EventBridge of its objects."""
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)
    # Not `event_bridge_enabled=True`: that is a custom resource with a function of its own.
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
