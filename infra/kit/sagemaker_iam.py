"""Permissions that SageMaker's jobs, models and pipelines need, whatever they do."""

from __future__ import annotations

from constructs import Construct

from infra.kit.iam import Allow, arn, write_logs


def lend_key(key_arn: str) -> tuple[Allow, Allow]:
    """Let SageMaker attach volumes encrypted with the key."""
    return (
        Allow(
            actions=["kms:CreateGrant"],
            resources=[key_arn],
            when={"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}},
        ),
        # By itself: the condition is none of DescribeKey's, and only its "IfExists" let it pass.
        Allow(actions=["kms:DescribeKey"], resources=[key_arn]),
    )


def telemetry(scope: Construct, log_group: str) -> tuple[Allow, ...]:
    """Let a job or endpoint write its logs and its instance's metrics."""
    group = arn(scope, "logs", f"log-group:{log_group}")
    return (
        write_logs(group),
        Allow(
            actions=["logs:CreateLogGroup", "logs:DescribeLogStreams"],
            resources=[f"{group}:*"],
            because="IAM spells a log group's ARN with :* at its end.",
        ),
        Allow(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            when={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
            because="CloudWatch has no resources to name; the namespace is the limit.",
        ),
    )


def read_packages(scope: Construct, group: str) -> Allow:
    """Describe any version of a model package group."""
    return Allow(
        actions=["sagemaker:DescribeModelPackage"],
        resources=[arn(scope, "sagemaker", f"model-package/{group}/*")],
        because="A package's ARN ends in the version it is given when it is registered.",
    )
