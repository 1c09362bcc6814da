"""Which resource an operation is about: its ARN, for IAM and for idempotency tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MEMBERS: tuple[tuple[str, str], ...] = (
    ("ResourceArn", ""),
    ("PipelineExecutionArn", ""),
    ("ModelPackageArn", ""),
    ("ModelPackageName", "model-package"),
    ("ProcessingJobName", "processing-job"),
    ("TrainingJobName", "training-job"),
    ("HyperParameterTuningJobName", "hyper-parameter-tuning-job"),
    ("TransformJobName", "transform-job"),
    ("EndpointName", "endpoint"),
    ("EndpointConfigName", "endpoint-config"),
    ("ModelName", "model"),
    ("PipelineName", "pipeline"),
    ("ModelPackageGroupName", "model-package-group"),
)
"""Members that name an operation's resource, the most telling first, and the resource's type in its ARN."""

_LISTED_OF = ("ResourceArn", "PipelineExecutionArn", "PipelineName", "HyperParameterTuningJobName")
"""Members that name the resource of a List operation. Its others are filters."""


def arn(region: str, account: str, resource: str, name: str) -> str:
    """ARN of a resource, in lower case as SageMaker writes it. A name that is an ARN already is one."""
    return _spelled(region, account, resource, name).lower()


def _spelled(region: str, account: str, resource: str, name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:sagemaker:{region}:{account}:{resource}/{name}"


def name_of(arn_or_name: str) -> str:
    """The name in an ARN: what follows the resource's type."""
    return arn_or_name.split("/", 1)[1] if arn_or_name.startswith("arn:") else arn_or_name


def resource_arn(operation: str, arguments: Mapping[str, Any], region: str, account: str) -> str:
    """ARN that IAM authorises an operation on; "*" for one that has no resource of its own.

    It has the name as the request spells it, which is not always how the resource's own ARN does.
    """
    if operation == "ListModelPackages" and "ModelPackageGroupName" in arguments:
        # The service authorization reference: on packages, not on their group.
        return arn(region, account, "model-package", f"{arguments['ModelPackageGroupName']}/*")
    for member, resource in _MEMBERS:
        if operation.startswith("List") and member not in _LISTED_OF:
            continue
        if isinstance(name := arguments.get(member), str) and name:
            return _spelled(region, account, resource, name)
    return "*"
