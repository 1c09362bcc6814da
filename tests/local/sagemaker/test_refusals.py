"""What the local cloud does not do it names, and what comes too late changes nothing. No cloud is needed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from local.cloud.seam import Cloud
from local.sagemaker.catalog.listing import listing
from local.sagemaker.errors import ServiceError
from local.sagemaker.jobs import processing, training
from local.sagemaker.jobs.plan import JobPlan
from local.sagemaker.jobs.run import JobRun, number_in
from local.sagemaker.service import Backend, Call
from local.sagemaker.state import MODEL, TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB, State
from local.sagemaker.transforms.operations import Transforms

ACCOUNT = "000000000000"
RESOURCES = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
TRAINING: dict[str, Any] = {
    "TrainingJobName": "job",
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
    "ResourceConfig": RESOURCES,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
PROCESSING: dict[str, Any] = {
    "ProcessingJobName": "job",
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
    "AppSpecification": {"ImageUri": "image"},
    "ProcessingResources": {"ClusterConfig": RESOURCES},
}


class Telling:
    """A cloud of which only the events are asked for."""

    children: Any = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []

    def put_event(self, _source: str, title: str, _detail: Any, _resources: list[str]) -> None:
        self.told.append(title)


@pytest.fixture
def cloud(tmp_path: Path) -> Telling:
    return Telling(tmp_path)


@pytest.fixture
def backend(cloud: Telling) -> Backend:
    return Backend(cast("Cloud", cloud), State("us-east-1", ACCOUNT))


@pytest.mark.parametrize(
    "members",
    [
        {"ResourceConfig": {**RESOURCES, "KeepAlivePeriodInSeconds": 600}},
        {"ExperimentConfig": {"ExperimentName": "mine"}},
        {"MlflowConfig": {"MlflowResourceArn": "arn"}},
        {"AlgorithmSpecification": {"TrainingImage": "i", "TrainingImageConfig": {"a": 1}}},
    ],
    ids=str,
)
def test_what_a_training_job_does_not_do_is_named(backend: Backend, members: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match="does not implement") as refused:
        training.plan(backend, {**TRAINING, **members}, None)
    assert refused.value.status == 501


def test_what_a_processing_job_does_not_do_is_named(backend: Backend) -> None:
    assert processing.plan(backend, PROCESSING, None).name == "job"
    with pytest.raises(ServiceError, match="ExperimentConfig"):
        processing.plan(backend, {**PROCESSING, "ExperimentConfig": {"RunName": "mine"}}, None)


def test_a_metric_without_a_regular_expression_is_refused(backend: Backend) -> None:
    metrics = [{"Name": "loss", "Regex": "loss=(["}]
    algorithm = {**TRAINING["AlgorithmSpecification"], "MetricDefinitions": metrics}
    with pytest.raises(ServiceError, match="expression of the metric loss is invalid") as refused:
        training.plan(backend, {**TRAINING, "AlgorithmSpecification": algorithm}, None)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("loss=(.*);", 0.5), ("loss=.*;", None), ("loss=(.)", 0), ("(x)?loss", None), ("gain=(.*);", None)],
)
def test_only_numbers_in_a_log_are_metrics(pattern: str, found: float | None) -> None:
    assert number_in("loss=0.5;", pattern) == found
    assert number_in("loss=small;", "loss=(.*);") is None


def test_who_stops_a_job_as_it_ends_comes_too_late(backend: Backend, cloud: Telling) -> None:
    backend.state.add(TRAINING_JOB, "job", {"TrainingJobStatus": "Completed", "SecondaryStatus": "Completed"})
    plan = training.plan(backend, TRAINING, None)
    assert isinstance(plan, JobPlan)
    JobRun(backend, plan, {}).stop()
    assert backend.state.get(TRAINING_JOB, "job")["TrainingJobStatus"] == "Completed"
    assert not cloud.told


def test_a_transform_of_a_model_that_is_gone_is_not_begun(backend: Backend) -> None:
    package = {"PrimaryContainer": {"ModelPackageName": "gone/1"}, "ExecutionRoleArn": "arn"}
    backend.state.add(MODEL, "model", package)
    arguments = {
        "TransformJobName": "job",
        "ModelName": "model",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://a/b"}}},
        "TransformOutput": {"S3OutputPath": "s3://a/c"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    create = Transforms(backend).operations()["CreateTransformJob"]
    call = Call(operation="CreateTransformJob", arguments=arguments, access_key=None, region="us-east-1")
    with pytest.raises(ServiceError, match="does not exist"):
        create(call)
    assert not backend.state.all(TRANSFORM_JOB)


def records(*names: str) -> list[dict[str, Any]]:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    return [{"HyperParameterTuningJobName": name, "CreationTime": moment} for name in names]


def test_a_list_has_as_many_as_aws_gives_unasked_in_its_order() -> None:
    found = records(*(f"{number:02}" for number in reversed(range(12))))
    first = listing("ListHyperParameterTuningJobs", TUNING_JOB, found, {})
    summaries = first["HyperParameterTuningJobSummaries"]
    names = [summary["HyperParameterTuningJobName"] for summary in summaries]
    assert names == [f"{number:02}" for number in range(10)]
    rest = listing("ListHyperParameterTuningJobs", TUNING_JOB, found, {"NextToken": first["NextToken"]})
    assert len(rest["HyperParameterTuningJobSummaries"]) == 2
    assert "NextToken" not in rest


def test_a_filter_that_is_not_applied_is_named() -> None:
    with pytest.raises(ServiceError, match="WarmPoolStatusEquals"):
        listing("ListTrainingJobs", TRAINING_JOB, [], {"WarmPoolStatusEquals": "InUse"})
