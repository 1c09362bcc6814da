"""Where things are: ARNs of requests, places of downloaded objects."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from local.sagemaker import storage
from local.sagemaker.iam import request_arn

PREFIX = "arn:aws:sagemaker:us-east-1:1:"


@pytest.mark.parametrize(
    ("operation", "arguments", "resource"),
    [
        ("CreateTrainingJob", {"TrainingJobName": "j", "RoleArn": "r"}, "training-job/j"),
        ("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, "endpoint/e"),
        ("CreateEndpointConfig", {"EndpointConfigName": "c"}, "endpoint-config/c"),
        ("CreateModel", {"ModelName": "m"}, "model/m"),
        ("StartPipelineExecution", {"PipelineName": "p"}, "pipeline/p"),
        ("ListPipelineExecutions", {"PipelineName": "p"}, "pipeline/p"),
        (
            "StopPipelineExecution",
            {"PipelineExecutionArn": f"{PREFIX}pipeline/p/execution/x"},
            "pipeline/p/execution/x",
        ),
        ("ListModelPackages", {"ModelPackageGroupName": "g"}, "model-package/g/*"),
        (
            "ListTrainingJobsForHyperParameterTuningJob",
            {"HyperParameterTuningJobName": "t"},
            "hyper-parameter-tuning-job/t",
        ),
        ("CreateModelPackage", {"ModelPackageGroupName": "g"}, "model-package-group/g"),
        ("DescribeModelPackage", {"ModelPackageName": f"{PREFIX}model-package/g/1"}, "model-package/g/1"),
        ("UpdateModelPackage", {"ModelPackageArn": f"{PREFIX}model-package/g/1"}, "model-package/g/1"),
    ],
)
def test_request_is_authorised_on_its_resource(
    operation: str, arguments: dict[str, str], resource: str
) -> None:
    headers = {"x-amz-target": f"SageMaker.{operation}"}
    assert request_arn("/", headers, json.dumps(arguments).encode(), "us-east-1", "1") == PREFIX + resource


@pytest.mark.parametrize("operation", ["ListModelPackageGroups", "ListProcessingJobs", "ListEndpointConfigs"])
def test_lists_have_no_resource(operation: str) -> None:
    body = json.dumps({"ModelPackageGroupName": "g"}).encode()
    assert request_arn("/", {"x-amz-target": f"SageMaker.{operation}"}, body, "us-east-1", "1") == "*"


def test_invocation_is_authorised_on_its_endpoint() -> None:
    assert request_arn("/endpoints/e/invocations", {}, b"not json", "us-east-1", "1") == PREFIX + "endpoint/e"


@pytest.mark.parametrize(
    ("key", "prefix", "name"),
    [
        ("data/a.csv", "data/a.csv", "a.csv"),
        ("data/deep/a.csv", "data", "deep/a.csv"),
        ("data/deep/a.csv", "data/", "deep/a.csv"),
        ("data/train-1.csv", "data/train", "train-1.csv"),
        ("a.csv", "", "a.csv"),
    ],
)
def test_object_under_a_prefix_has_its_place(key: str, prefix: str, name: str) -> None:
    assert storage.relative_name(key, prefix) == name


def test_archive_round_trip(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "deep").mkdir(parents=True)
    (model / "deep" / "file").write_text("x")
    assert storage.pack(model, tmp_path / "model.tar.gz")
    storage.unpack(tmp_path / "model.tar.gz", tmp_path / "again")
    assert (tmp_path / "again" / "deep" / "file").read_text() == "x"
    assert not storage.pack(tmp_path / "missing", tmp_path / "none.tar.gz")


def test_archive_that_would_leave_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "evil", arcname="../evil")
    with pytest.raises(tarfile.TarError):
        storage.unpack(tmp_path / "model.tar.gz", tmp_path / "again")
