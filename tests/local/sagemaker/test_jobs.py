"""Processing and training jobs, as they run on a cloud."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import PurePath
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.workbench import (
    BUCKET,
    EARLIER_IMAGE,
    EVERY_JOB,
    Workbench,
    source,
    target,
    wait_for,
)

pytestmark = pytest.mark.local_cloud

IN, OUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
MODES = ("EndOfJob", "Continuous")


def report(uri: str) -> dict[str, Any]:
    return {"Outputs": [target(uri, f"{OUT}/report", "report")]}


def test_processing_job_copies_in_runs_and_copies_out(workbench: Workbench) -> None:
    workbench.put("copy/data/a.csv", "a")
    name = workbench.process(
        "prepare",
        "fast",
        ProcessingInputs=[source(f"s3://{BUCKET}/copy/data", f"{IN}/dataset")],
        ProcessingOutputConfig={"Outputs": [target(f"s3://{BUCKET}/copy/out", f"{OUT}/train", "train")]},
    )
    job = workbench.processed(name)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert workbench.get(f"s3://{BUCKET}/copy/out/a.csv") == b"a"
    assert workbench.lines("/aws/sagemaker/ProcessingJobs", f"{name}/algo-1-") == ["preparing fast"]


def test_output_is_encrypted_with_the_key_asked_for(workbench: Workbench) -> None:
    key = workbench.client("kms").create_key()["KeyMetadata"]["Arn"]
    output = {**report(f"s3://{BUCKET}/encrypted"), "KmsKeyId": key}
    job = workbench.processed(workbench.process("environment", ProcessingOutputConfig=output))
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    head = workbench.s3.head_object(Bucket=BUCKET, Key="encrypted/environment.json")
    assert head["SSEKMSKeyId"] == key


def test_job_runs_as_its_role_and_sees_nothing_of_the_cloud(workbench: Workbench) -> None:
    name = workbench.process(
        "environment",
        Environment={"COLOUR": "blue"},
        ProcessingOutputConfig=report(f"s3://{BUCKET}/environment"),
    )
    assert workbench.processed(name)["ProcessingJobStatus"] == "Completed"
    seen = json.loads(workbench.get(f"s3://{BUCKET}/environment/environment.json"))
    identity = workbench.client(
        "sts",
        {
            "aws_access_key_id": seen["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": seen["AWS_SECRET_ACCESS_KEY"],
            "aws_session_token": seen["AWS_SESSION_TOKEN"],
        },
    ).get_caller_identity()
    assert workbench.job_role.rpartition("/")[2] in identity["Arn"]
    assert seen["COLOUR"] == "blue"
    assert seen["SAGEMAKER_BASE_DIR"] == str(workbench.folder / "jobs" / name / "ml")
    assert not {"AUTH", "USE_SSL", "STATE_DIR"} & seen.keys()


def test_an_image_with_a_tree_of_its_own_runs_that(workbench: Workbench) -> None:
    job = workbench.process(
        AppSpecification={"ImageUri": EARLIER_IMAGE, "ContainerArguments": ["environment"]},
        ProcessingOutputConfig=report(f"s3://{BUCKET}/earlier"),
    )
    assert workbench.processed(job)["ProcessingJobStatus"] == "Completed"
    seen = json.loads(workbench.get(f"s3://{BUCKET}/earlier/environment.json"))
    assert PurePath(seen["PYTHONPATH"]).name == "earlier"


def test_isolated_job_has_no_credentials(workbench: Workbench) -> None:
    name = workbench.process(
        "environment",
        NetworkConfig={"EnableNetworkIsolation": True},
        ProcessingOutputConfig=report(f"s3://{BUCKET}/isolated"),
    )
    assert workbench.processed(name)["ProcessingJobStatus"] == "Completed"
    seen = json.loads(workbench.get(f"s3://{BUCKET}/isolated/environment.json"))
    assert not {"AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"} & seen.keys()


def test_jobs_share_what_their_image_would_be_built_with(workbench: Workbench) -> None:
    folders = []
    for n in range(2):
        output = report(f"s3://{BUCKET}/shared-{n}")
        workbench.processed(workbench.process("environment", ProcessingOutputConfig=output))
        seen = json.loads(workbench.get(f"s3://{BUCKET}/shared-{n}/environment.json"))
        folders.append((seen["MPLCONFIGDIR"], seen["HOME"]))
    (first, home), (second, other_home) = folders
    assert first == second
    assert home != other_home


def test_failing_processing_job_says_why(workbench: Workbench) -> None:
    job = workbench.processed(workbench.process("broken"))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"] == "column age: 3 values are no numbers"
    assert job["FailureReason"] == "AlgorithmError: column age: 3 values are no numbers, exit code: 1"


def test_what_a_failed_job_wrote_is_uploaded_only_if_that_is_continuous(workbench: Workbench) -> None:
    outputs = [target(f"s3://{BUCKET}/failed/{mode}", f"{OUT}/{mode}", mode) for mode in MODES]
    for output, mode in zip(outputs, MODES, strict=True):
        output["S3Output"]["S3UploadMode"] = mode
    job = workbench.process("half_done", ProcessingOutputConfig={"Outputs": outputs})
    assert workbench.processed(job)["ProcessingJobStatus"] == "Failed"
    listed = workbench.s3.list_objects_v2(Bucket=BUCKET, Prefix="failed/")["Contents"]
    assert [item["Key"] for item in listed] == ["failed/Continuous/half.txt"]


def test_role_that_may_not_read_its_input_fails_the_job_in_awss_words(workbench: Workbench) -> None:
    actions = ["s3:GetBucketLocation", "s3:ListBucket", *EVERY_JOB]
    blind = workbench.role("blind", ["sagemaker.amazonaws.com"], actions)
    workbench.put("secret/data.csv", "a")
    name = workbench.process(
        "prepare", role=blind, ProcessingInputs=[source(f"s3://{BUCKET}/secret", f"{IN}/dataset")]
    )
    job = workbench.processed(name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert "s3:GetObject" in job["FailureReason"]
    assert f"arn:aws:s3:::{BUCKET}/secret/data.csv" in job["FailureReason"]


def test_stopped_job_ends_as_stopped(workbench: Workbench) -> None:
    name = workbench.process("wait")
    wait_for(lambda: "waiting" in _lines(workbench, name), "the job's first line")
    workbench.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert workbench.processed(name)["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="the processing job is in status Stopped"):
        workbench.sagemaker.stop_processing_job(ProcessingJobName=name)


def test_job_that_runs_too_long_is_stopped(workbench: Workbench) -> None:
    name = workbench.process("wait", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert workbench.processed(name)["ProcessingJobStatus"] == "Stopped"


def test_training_job_packs_its_model(workbench: Workbench) -> None:
    data = workbench.put("rows/train.csv", "x\n1\n2\n").rpartition("/")[0]
    name = workbench.train(data, HyperParameters={"depth": "3"})
    job = workbench.trained(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{BUCKET}/models/{name}/output/model.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(workbench.get(uri))) as archive:
        member = archive.extractfile("model.json")
        assert member is not None
        assert json.load(member) == {"rows": 3, "depth": "3"}


def test_failing_training_job_says_why(workbench: Workbench) -> None:
    data = workbench.put("rows/train.csv", "x\n1\n2\n").rpartition("/")[0]
    job = workbench.trained(workbench.train(data, HyperParameters={"fail": "out of rows"}))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: out of rows, exit code: 1"


def test_training_without_data_is_refused(workbench: Workbench) -> None:
    with pytest.raises(ClientError, match=r'No S3 objects found under S3 URL "s3://workbench/nothing"'):
        workbench.train(f"s3://{BUCKET}/nothing")


def test_job_names_are_unique(workbench: Workbench) -> None:
    name = workbench.process("broken")
    with pytest.raises(ClientError, match="Job name must be unique") as refusal:
        workbench.process("broken", ProcessingJobName=name)
    assert refusal.value.response["Error"]["Code"] == "ResourceInUse"


def test_role_that_sagemaker_may_not_assume_is_refused(workbench: Workbench) -> None:
    with pytest.raises(ClientError, match="Could not assume role"):
        workbench.process("broken", role=workbench.role("stranger", ["lambda.amazonaws.com"], []))


def test_what_is_not_implemented_says_so(workbench: Workbench) -> None:
    with pytest.raises(ClientError, match="does not implement SageMaker ListClusters") as refusal:
        workbench.sagemaker.list_clusters()
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    sharded = source(f"s3://{BUCKET}/rows", f"{IN}/dataset")
    sharded["S3Input"]["S3DataDistributionType"] = "ShardedByS3Key"
    with pytest.raises(ClientError, match="S3DataDistributionType='ShardedByS3Key'"):
        workbench.process("broken", ProcessingInputs=[sharded])


def test_list_filters_sorts_and_pages(workbench: Workbench) -> None:
    names = [
        workbench.process("broken", ProcessingJobName=f"listed-{index}") and f"listed-{index}"
        for index in range(3)
    ]
    for name in names:
        workbench.processed(name)
    query = {"NameContains": "listed-", "SortBy": "Name", "SortOrder": "Ascending", "StatusEquals": "Failed"}
    pages = workbench.sagemaker.get_paginator("list_processing_jobs").paginate(
        **query, PaginationConfig={"PageSize": 2}
    )
    found = [[job["ProcessingJobName"] for job in page["ProcessingJobSummaries"]] for page in pages]
    assert found == [["listed-0", "listed-1"], ["listed-2"]]


def _lines(workbench: Workbench, name: str) -> list[str]:
    try:
        return workbench.lines("/aws/sagemaker/ProcessingJobs", f"{name}/")
    except ClientError:
        return []


def test_checkpoints_outlive_their_job(workbench: Workbench) -> None:
    data = workbench.put("checkpointed/data/a.csv", "a")
    spot: dict[str, Any] = {
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpointed/{uuid4().hex}"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
    }
    for starts in (1, 2):
        name = workbench.train(data, **spot)
        assert workbench.trained(name)["TrainingJobStatus"] == "Completed"
        assert f"starts={starts};" in workbench.lines("/aws/sagemaker/TrainingJobs", f"{name}/algo-1-")


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"EnableManagedSpotTraining": True}, "MaxWaitTimeInSeconds must be set"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9}},
            "only be set if EnableManagedSpotTraining",
        ),
    ],
)
def test_spot_training_says_how_long_to_wait(
    workbench: Workbench, members: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ClientError, match=complaint):
        workbench.train(workbench.put("spot/data/a.csv", "a"), **members)
