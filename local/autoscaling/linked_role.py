"""The service-linked role by which Application Auto Scaling calls SageMaker and CloudWatch."""

from __future__ import annotations

import json
from typing import Any

from local.cloud.seam import Cloud

PRINCIPAL = "sagemaker.application-autoscaling.amazonaws.com"
ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
_PATH = f"/aws-service-role/{PRINCIPAL}/"
_ACTIONS = (
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:DeleteAlarms",
)


def role_arn(cloud: Cloud) -> str:
    return f"arn:aws:iam::{cloud.account}:role{_PATH}{ROLE}"


def exists(cloud: Cloud) -> bool:
    """Whether this account has the role already."""
    iam = cloud.client("iam", None)
    try:
        iam.get_role(RoleName=ROLE)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True


def create(cloud: Cloud) -> None:
    """Make the role, as the first registration of a target does."""
    iam = cloud.client("iam", None)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": PRINCIPAL}}
    allow = {"Effect": "Allow", "Action": list(_ACTIONS), "Resource": "*"}
    iam.create_role(RoleName=ROLE, Path=_PATH, AssumeRolePolicyDocument=_document(trust))
    iam.put_role_policy(RoleName=ROLE, PolicyName="policy", PolicyDocument=_document(allow))


def sagemaker(cloud: Cloud) -> Any:
    """A client of SageMaker with the role's permissions."""
    return cloud.client("sagemaker", cloud.credentials_for(role_arn(cloud), PRINCIPAL))


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
