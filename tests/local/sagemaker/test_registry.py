"""The model registry and its events, on a cloud."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.workbench import ACCOUNT, BUCKET, IMAGE, REGISTERS, Workbench

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def group(workbench: Workbench) -> str:
    name = f"group-{uuid4().hex[:8]}"
    workbench.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def register(sagemaker: Any, group: str, **members: Any) -> str:
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/registry/model.tar.gz"}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/jsonlines"],
    }
    arn: str = sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification, **members
    )["ModelPackageArn"]
    return arn


def test_versions_count_up_and_are_never_given_out_again(workbench: Workbench, group: str) -> None:
    first, second = register(workbench.sagemaker, group), register(workbench.sagemaker, group)
    assert first == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package/{group}/1"
    workbench.sagemaker.delete_model_package(ModelPackageName=second)
    assert register(workbench.sagemaker, group).endswith(f"{group}/3")
    listed = workbench.sagemaker.list_model_packages(ModelPackageGroupName=group, SortOrder="Ascending")
    assert [package["ModelPackageVersion"] for package in listed["ModelPackageSummaryList"]] == [1, 3]


def test_same_client_token_registers_once(workbench: Workbench, group: str) -> None:
    token = "a" * 36
    first, second = (register(workbench.sagemaker, group, ClientToken=token) for _ in range(2))
    assert first == second


def test_update_merges_metadata_and_keeps_the_approval(workbench: Workbench, group: str) -> None:
    arn = register(workbench.sagemaker, group, CustomerMetadataProperties={"a": "1", "b": "2"})
    workbench.sagemaker.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    package = workbench.sagemaker.describe_model_package(ModelPackageName=arn)
    assert package["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert package["ModelApprovalStatus"] == "PendingManualApproval"


def test_approval_is_an_event(workbench: Workbench, group: str) -> None:
    queue = workbench.queue_of_events(
        {
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]},
        }
    )
    arn = register(workbench.sagemaker, group)
    card = {"ModelCardContent": "{}", "ModelCardStatus": "Approved"}
    workbench.sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ModelCard=card,
    )
    assert workbench.sagemaker.describe_model_package(ModelPackageName=arn)["ModelCard"] == card

    event = workbench.next_event(queue)
    assert event["resources"] == [arn]
    assert event["detail"]["ModelPackageArn"] == arn
    assert event["detail"]["ModelPackageVersion"] == 1
    assert event["detail"]["InferenceSpecification"]["Containers"][0]["Image"] == IMAGE
    assert event["detail"]["UpdatedModelPackageFields"] == ["ModelApprovalStatus", "ModelCard"]

    workbench.sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"a": "1"})
    event = workbench.next_event(queue)
    assert event["detail"]["ModelApprovalStatus"] == "Approved"
    assert event["detail"]["UpdatedModelPackageFields"] == ["CustomerMetadataProperties"]


def test_model_of_a_package_needs_its_approval(workbench: Workbench, group: str) -> None:
    workbench.put("registry/model.tar.gz", "")
    arn = register(workbench.sagemaker, group)
    request = {
        "ModelName": group,
        "PrimaryContainer": {"ModelPackageName": arn, "Environment": {"A": "b"}},
        "ExecutionRoleArn": workbench.job_role,
    }
    with pytest.raises(ClientError, match="its approval status is PendingManualApproval"):
        workbench.sagemaker.create_model(**request)
    workbench.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    workbench.sagemaker.create_model(**request)
    described = workbench.sagemaker.describe_model(ModelName=group)
    assert described["PrimaryContainer"] == request["PrimaryContainer"]
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        workbench.sagemaker.create_model(**request)


def test_registering_needs_to_read_the_artifact(workbench: Workbench, group: str) -> None:
    role = workbench.role("registrar", ["sagemaker.amazonaws.com"], ["sagemaker:CreateModelPackage"])
    with pytest.raises(ClientError, match=f"Access denied for bucket: {BUCKET}, object key: registry/model"):
        register(workbench.client("sagemaker", workbench.assume(role)), group)


@pytest.mark.parametrize("missing", REGISTERS)
def test_registering_needs_to_see_the_image(workbench: Workbench, group: str, missing: str) -> None:
    actions = ["sagemaker:CreateModelPackage", "s3:GetObject", *(a for a in REGISTERS if a != missing)]
    role = workbench.role("registrar", ["sagemaker.amazonaws.com"], actions)
    with pytest.raises(ClientError, match=f"{missing} on resource: arn:aws:ecr:.*:repository/millrace"):
        register(workbench.client("sagemaker", workbench.assume(role)), group)


def test_group_with_packages_is_not_deleted(workbench: Workbench, group: str) -> None:
    arn = register(workbench.sagemaker, group)
    with pytest.raises(workbench.sagemaker.exceptions.ConflictException):
        workbench.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    workbench.sagemaker.delete_model_package(ModelPackageName=arn)
    workbench.sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="does not exist"):
        workbench.sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_tags_are_kept_and_removed(workbench: Workbench, group: str) -> None:
    arn = workbench.sagemaker.describe_model_package_group(ModelPackageGroupName=group)[
        "ModelPackageGroupArn"
    ]
    workbench.sagemaker.add_tags(
        ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    )
    workbench.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert workbench.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
