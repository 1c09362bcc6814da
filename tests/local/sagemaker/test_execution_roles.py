"""What a job's, a model's and a caller's role must allow beside what the container does: as AWS asks it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.workbench import (
    ACCOUNT,
    BUCKET,
    CLUSTER,
    EVERY_JOB,
    IMAGE,
    READS_AND_WRITES,
    RESOURCES,
    Workbench,
    source,
    training,
)

pytestmark = pytest.mark.local_cloud

SAGEMAKER = "sagemaker.amazonaws.com"
GROUP = "/aws/sagemaker/ProcessingJobs"
READ = "/opt/ml/processing/input/dataset"


def without(*actions: str) -> list[str]:
    return [action for action in (*READS_AND_WRITES, *EVERY_JOB) if action not in actions]


def denied(workbench: Workbench, role: str) -> set[str]:
    """The actions that were refused to a role."""
    lines = (workbench.folder / "denied.jsonl").read_text().splitlines()
    name = role.rpartition("/")[2]
    return {line["action"] for line in map(json.loads, lines) if name in line["principal"]}


def client_as(workbench: Workbench, role: str) -> Any:
    return workbench.client("sagemaker", workbench.assume(role))


@pytest.mark.parametrize(
    "action",
    [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
    ],
)
def test_a_job_whose_role_may_not_pull_the_image_fails(workbench: Workbench, action: str) -> None:
    role = workbench.role("nopull", [SAGEMAKER], without(action))
    job = workbench.processed(workbench.process("environment", role=role))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "Cannot pull algorithm container" in job["FailureReason"]
    assert action in job["FailureReason"]


def test_a_job_whose_role_may_not_locate_its_bucket_fails(workbench: Workbench) -> None:
    workbench.put("located/a.csv", "a")
    role = workbench.role("nolocate", [SAGEMAKER], without("s3:GetBucketLocation"))
    inputs = [source(f"s3://{BUCKET}/located", READ)]
    job = workbench.processed(workbench.process("environment", role=role, ProcessingInputs=inputs))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "Data download failed" in job["FailureReason"]
    assert denied(workbench, role) == {"s3:GetBucketLocation"}


@pytest.mark.parametrize("action", [action for action in EVERY_JOB if action.startswith("logs:")])
def test_lines_that_the_role_may_not_write_are_lost_and_the_job_goes_on(
    workbench: Workbench, action: str
) -> None:
    workbench.put("silent/in/a.csv", "a")
    role = workbench.role("silent", [SAGEMAKER], without(action))
    out = {"OutputName": "train", "S3Output": {"S3Uri": f"s3://{BUCKET}/silent/out", "LocalPath": "/opt/ml/processing/output/train", "S3UploadMode": "EndOfJob"}}  # fmt: skip
    name = workbench.process(
        "prepare",
        role=role,
        ProcessingInputs=[source(f"s3://{BUCKET}/silent/in", READ)],
        ProcessingOutputConfig={"Outputs": [out]},
    )
    assert workbench.processed(name)["ProcessingJobStatus"] == "Completed"
    assert workbench.lines(GROUP, f"{name}/") == []
    assert denied(workbench, role) == {action}


def test_metrics_that_the_role_may_not_put_are_lost(workbench: Workbench) -> None:
    data = workbench.put("metrics/rows.csv", "1\n2\n")
    role = workbench.role("nometrics", [SAGEMAKER], without("cloudwatch:PutMetricData"))
    algorithm = {
        **training(data, role)["AlgorithmSpecification"],
        "MetricDefinitions": [{"Name": "lost", "Regex": "loss=(.*?);"}],
    }
    name = workbench.train(data, role=role, AlgorithmSpecification=algorithm)
    assert workbench.trained(name)["TrainingJobStatus"] == "Completed"
    assert workbench.total("/aws/sagemaker/TrainingJobs", "lost", TrainingJobName=name) == 0
    assert denied(workbench, role) == {"cloudwatch:PutMetricData"}


@pytest.fixture(scope="module")
def key(workbench: Workbench) -> str:
    return str(workbench.client("kms").create_key()["KeyMetadata"]["Arn"])


def encrypted(role: str, key: str) -> dict[str, Any]:
    cluster = {"ClusterConfig": {**CLUSTER["ClusterConfig"], "VolumeKmsKeyId": key}}
    return {
        "ProcessingJobName": f"job-{uuid4().hex[:8]}",
        "RoleArn": role,
        "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": ["environment"]},
        "ProcessingResources": cluster,
    }


CREATES = ["sagemaker:CreateProcessingJob", "iam:PassRole"]


@pytest.mark.parametrize("lender", ["role", "caller"])
def test_a_volume_s_key_is_lent_by_the_role_or_by_the_caller(
    workbench: Workbench, key: str, lender: str
) -> None:
    lends = {"role": [], "caller": [], lender: ["kms:CreateGrant", "kms:DescribeKey"]}
    role = workbench.role("worker", [SAGEMAKER], [*without(), *lends["role"]])
    caller = workbench.role("caller", ["states.amazonaws.com"], [*CREATES, *lends["caller"]])
    client_as(workbench, caller).create_processing_job(**encrypted(role, key))
    assert denied(workbench, role) == denied(workbench, caller) == set()


def test_a_volume_s_key_that_nobody_lends_is_refused(workbench: Workbench, key: str) -> None:
    role = workbench.role("worker", [SAGEMAKER], without())
    caller = workbench.role("caller", ["states.amazonaws.com"], CREATES)
    with pytest.raises(ClientError, match="kms:CreateGrant") as refused:
        client_as(workbench, caller).create_processing_job(**encrypted(role, key))
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.fixture(scope="module")
def package(workbench: Workbench) -> str:
    """An approved version of a model."""
    name = workbench.train(workbench.put("packaged/rows.csv", "1\n"))
    artifact = workbench.trained(name)["ModelArtifacts"]["S3ModelArtifacts"]
    group = f"group-{uuid4().hex[:8]}"
    workbench.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn: str = workbench.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": artifact}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    return arn


@pytest.mark.parametrize(
    ("resources", "allowed"),
    [
        (["model/*", "model-package/*"], True),
        (["model/*"], False),
        (["model-package/*"], False),
    ],
)
def test_a_model_of_a_package_needs_rights_on_both(
    workbench: Workbench, package: str, resources: list[str], allowed: bool
) -> None:
    create = {
        "Effect": "Allow",
        "Action": ["sagemaker:CreateModel", "sagemaker:DescribeModelPackage"],
        "Resource": [f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{resource}" for resource in resources],
    }
    role = workbench.role("releaser", ["states.amazonaws.com"], ["iam:PassRole"])
    workbench.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="create",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [create]}),
    )
    request = {
        "ModelName": f"model-{uuid4().hex[:8]}",
        "ExecutionRoleArn": workbench.job_role,
        "PrimaryContainer": {"ModelPackageName": package},
    }
    if allowed:
        client_as(workbench, role).create_model(**request)
    else:
        with pytest.raises(ClientError, match="sagemaker:CreateModel on resource"):
            client_as(workbench, role).create_model(**request)


def test_an_endpoint_whose_caller_may_not_lend_the_key_is_not_made(
    workbench: Workbench, package: str, key: str
) -> None:
    name = f"keyed-{uuid4().hex[:8]}"
    workbench.sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=workbench.job_role,
        PrimaryContainer={"ModelPackageName": package},
    )
    variant = {"VariantName": "live", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}  # fmt: skip
    workbench.sagemaker.create_endpoint_config(
        EndpointConfigName=name, KmsKeyId=key, ProductionVariants=[variant]
    )
    caller = workbench.role("caller", ["states.amazonaws.com"], ["sagemaker:CreateEndpoint"])
    with pytest.raises(ClientError, match="kms:CreateGrant"):
        client_as(workbench, caller).create_endpoint(EndpointName=name, EndpointConfigName=name)


def test_an_endpoint_whose_role_may_not_pull_the_image_fails(workbench: Workbench, package: str) -> None:
    name = f"nopull-{uuid4().hex[:8]}"
    role = workbench.role("nopull", [SAGEMAKER], without("ecr:BatchGetImage"))
    workbench.sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": package}
    )
    variant = {"VariantName": "live", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}  # fmt: skip
    workbench.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    workbench.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    endpoint = workbench.endpoint(name)
    assert endpoint["EndpointStatus"] == "Failed"
    assert f"does not have BatchGetImage permission for the image: '{IMAGE}'" in endpoint["FailureReason"]


def test_an_arn_is_in_lower_case_and_the_name_is_not(workbench: Workbench) -> None:
    name = f"Job-{uuid4().hex[:8]}"
    arn = workbench.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=workbench.job_role,
        AppSpecification={"ImageUri": IMAGE, "ContainerArguments": ["environment"]},
        ProcessingResources=CLUSTER,
    )["ProcessingJobArn"]
    assert arn.endswith(f":processing-job/{name.lower()}")
    described = workbench.processed(name.lower())
    assert (described["ProcessingJobName"], described["ProcessingJobArn"]) == (name, arn)


def test_a_policy_that_knows_one_spelling_of_a_name_is_not_enough(workbench: Workbench) -> None:
    name = f"Job-{uuid4().hex[:8]}"
    resource = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:processing-job/Job-*"
    caller = workbench.role("speller", ["states.amazonaws.com"], ["sagemaker:CreateProcessingJob"], resource)
    request = {**encrypted(workbench.job_role, ""), "ProcessingJobName": name}
    request["ProcessingResources"] = {"ClusterConfig": {**RESOURCES}}
    with pytest.raises(ClientError, match=f"processing-job/{name.lower()}"):
        client_as(workbench, caller).create_processing_job(**request)
