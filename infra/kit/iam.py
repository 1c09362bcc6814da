"""Roles: one readable statement at a time, each wildcard with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

Conditions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Allow:
    """One statement. `because` says why a wildcard is needed, and is required where there is one."""

    actions: Sequence[str]
    resources: Sequence[str]
    when: Conditions = field(default_factory=dict)
    because: str = ""

    def __post_init__(self) -> None:
        wild = [text for text in (*self.actions, *self.resources) if "*" in text]
        if wild and not self.because:
            raise ValueError(f"a wildcard needs a reason: {wild}")


def arn(scope: Construct, service: str, resource: str) -> str:
    """The ARN of something in the account and region of a construct's stack."""
    stack = cdk.Stack.of(scope)
    return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"


def role(scope: Construct, name: str, *, service: str, description: str, allows: Iterable[Allow]) -> iam.Role:
    """A role that one service of this account may assume, with its statements in line."""
    account = {"StringEquals": {"aws:SourceAccount": cdk.Stack.of(scope).account}}
    allows = list(allows)
    made = iam.Role(
        scope,
        name,
        description=description,
        # Lambda does not say for whom it assumes a role; the others do.
        assumed_by=iam.ServicePrincipal(
            service, conditions={} if service == "lambda.amazonaws.com" else account
        ),
        inline_policies={
            "allowed": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=list(allow.actions),
                        resources=list(allow.resources),
                        conditions=dict(allow.when),
                    )
                    for allow in allows
                ]
            )
        },
    )
    for allow in allows:
        for finding in _wildcards(made, allow):
            acknowledge(made, {f"AwsSolutions-IAM5[{finding}]": allow.because})
        if "*" in allow.resources and service == "lambda.amazonaws.com":
            acknowledge(made, {"Serverless-LambdaStarPermissions": allow.because})
    return made


def acknowledge(construct: Construct, reasons: Mapping[str, str]) -> None:
    """Say for each of cdk-nag's findings on a construct why it stands."""
    for rule, reason in reasons.items():
        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))


def _wildcards(scope: Construct, allow: Allow) -> list[str]:
    stack = cdk.Stack.of(scope)
    resources = [_flatten(stack.resolve(resource)) for resource in allow.resources]
    return [f"Action::{action}" for action in allow.actions if "*" in action] + [
        f"Resource::{resource}" for resource in resources if "*" in resource
    ]


def _flatten(value: Any) -> str:
    """A resolved CloudFormation value as cdk-nag spells it in a finding."""
    match value:
        case str():
            return value
        case {"Fn::Join": [on, parts]}:
            return str(on).join(_flatten(part) for part in parts)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::ImportValue": name}:
            return _flatten(name)
    raise ValueError(f"cannot be written in a finding: {value!r}")


def read_objects(bucket_arn: str, *patterns: str, versions: bool = False) -> Allow:
    """Read the objects of some key patterns; `versions` for reading a version by its id."""
    return Allow(
        actions=["s3:GetObjectVersion"] if versions else ["s3:GetObject"],
        resources=[f"{bucket_arn}/{pattern}" for pattern in patterns],
        because="The keys are made by uploads and runs; the prefix is as far as they are known beforehand.",
    )


def write_objects(bucket_arn: str, *patterns: str) -> Allow:
    """Create objects of some key patterns."""
    return Allow(
        actions=["s3:PutObject"],
        resources=[f"{bucket_arn}/{pattern}" for pattern in patterns],
        because="The keys are made by uploads and runs; the prefix is as far as they are known beforehand.",
    )


def list_objects(bucket_arn: str, *prefixes: str, versions: bool = False) -> Allow:
    """List the keys under some prefixes; `versions` for their version ids too."""
    return Allow(
        actions=["s3:ListBucket", *(["s3:ListBucketVersions"] if versions else [])],
        resources=[bucket_arn],
        when={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
    )


def locate_buckets(*bucket_arns: str) -> Allow:
    """Learn in which region buckets are, which SageMaker asks with a job's role before it reads them."""
    return Allow(actions=["s3:GetBucketLocation"], resources=list(bucket_arns))


def use_key(scope: Construct, key_arn: str) -> Allow:
    """Encrypt and decrypt objects with the key: through S3 only."""
    return Allow(
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=[key_arn],
        when={"StringEquals": {"kms:ViaService": f"s3.{cdk.Stack.of(scope).region}.amazonaws.com"}},
    )


def read_encrypted(scope: Construct, key_arn: str) -> Allow:
    """Decrypt objects with the key: through S3 only."""
    return Allow(
        actions=["kms:Decrypt"],
        resources=[key_arn],
        when={"StringEquals": {"kms:ViaService": f"s3.{cdk.Stack.of(scope).region}.amazonaws.com"}},
    )


def write_logs(log_group_arn: str) -> Allow:
    """Write to the streams of one log group."""
    return Allow(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[f"{log_group_arn}:*"],
        because="A log stream is named when it is made.",
    )


def pass_role(role_arns: Sequence[str], *, service: str) -> Allow:
    """Hand these roles, and no other, to one service."""
    return Allow(
        actions=["iam:PassRole"],
        resources=list(role_arns),
        when={"StringEquals": {"iam:PassedToService": service}},
    )
