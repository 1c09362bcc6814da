"""The SageMaker SDK's own resource classes get, list, refresh and invoke all that this project makes.

They are what people open first, and stricter than boto3: a member that AWS would leave out trips them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from sagemaker.core import resources as sdk
from sagemaker.core.utils.utils import SageMakerClient

from tests.local.sagemaker import serving, test_pipelines, test_transforms, test_tuning
from tests.local.sagemaker.workbench import Workbench

pytestmark = pytest.mark.local_cloud

LISTED = (
    sdk.Endpoint,
    sdk.EndpointConfig,
    sdk.HyperParameterTuningJob,
    sdk.Model,
    sdk.ModelPackageGroup,
    sdk.Pipeline,
    sdk.ProcessingJob,
    sdk.TrainingJob,
    sdk.TransformJob,
)
"""The classes of which this project makes resources, and which list without a name to list under."""


@pytest.fixture(scope="module")
def account(workbench: Workbench) -> Iterator[dict[str, Any]]:
    """What every class is given: a session of the root on the local cloud."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in workbench.variables.items():
            environment.setenv(name, value)
        environment.delenv("AWS_SESSION_TOKEN")
        SageMakerClient.reset()
        yield {"session": boto3.Session(), "region": workbench.variables["AWS_REGION"]}
        SageMakerClient.reset()


@pytest.fixture(scope="module")
def execution(workbench: Workbench) -> str:
    """ARN of an execution that registered a model."""
    group = "sdk"
    workbench.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    pipeline = test_pipelines.create(workbench, test_pipelines.loop(workbench, group))
    arn = test_pipelines.start(workbench, pipeline)
    assert workbench.executed(arn)["PipelineExecutionStatus"] == "Succeeded"
    return arn


@pytest.fixture(scope="module")
def endpoint(workbench: Workbench) -> Iterator[str]:
    with serving.running(workbench, serving.config(workbench, "blue")) as name:
        yield name


@pytest.fixture(scope="module")
def made(workbench: Workbench, execution: str, endpoint: str) -> None:
    """At least one of each."""
    test_transforms.Transform(workbench, {"a": "1"}).ended()
    test_tuning.ended(workbench, test_tuning.start(workbench, test_tuning.configuration(2)))


@pytest.mark.parametrize("resource", LISTED, ids=lambda resource: str(resource.__name__))
@pytest.mark.usefixtures("made")
def test_each_of_a_kind_is_listed_got_and_refreshed(account: dict[str, Any], resource: Any) -> None:
    found = list(resource.get_all(**account))
    assert found
    for item in found:
        name = item.get_name()
        again = resource.get(name, **account)
        assert again.get_name() == name
        assert again.refresh() is not None


def test_an_execution_its_steps_and_its_definition(account: dict[str, Any], execution: str) -> None:
    pipeline = execution.split("/")[1]
    [listed] = sdk.PipelineExecution.get_all(pipeline_name=pipeline, **account)
    run = sdk.PipelineExecution.get(listed.pipeline_execution_arn, **account)
    assert run.pipeline_execution_status == "Succeeded"
    assert {step.step_name for step in run.get_all_steps(**account)} == {
        "prepare",
        "train",
        "evaluate",
        "gate",
        "register",
    }
    assert {p.name for p in run.get_all_parameters(**account)} >= {"RunUri"}
    assert run.get_pipeline_definition(**account)


def test_a_package_of_a_group_and_its_approval(account: dict[str, Any], execution: str) -> None:
    [listed] = sdk.ModelPackage.get_all(model_package_group_name="sdk", **account)
    package = sdk.ModelPackage.get(listed.model_package_arn, **account)
    assert package.model_package_version == 1
    package.update(model_approval_status="Rejected", approval_description="a test")
    assert package.refresh().model_approval_status == "Rejected"


def test_a_tuning_job_s_trials(account: dict[str, Any], made: None) -> None:
    [job] = sdk.HyperParameterTuningJob.get_all(**account)
    assert len(list(job.refresh().get_all_training_jobs(**account))) == 2


def test_an_endpoint_answers(account: dict[str, Any], endpoint: str) -> None:
    found = sdk.Endpoint.get(endpoint, **account)
    answer = found.invoke(body=b"hello", content_type="text/csv", **account)
    assert b'"body": "hello"' in answer.body.read()


def test_the_tags_of_a_resource(account: dict[str, Any], execution: str) -> None:
    [group] = [g for g in sdk.ModelPackageGroup.get_all(**account) if g.model_package_group_name == "sdk"]
    sdk.Tag.add_tags(
        resource_arn=group.model_package_group_arn, tags=[{"key": "owner", "value": "us"}], **account
    )
    [tag] = sdk.Tag.get_all(resource_arn=group.model_package_group_arn, **account)
    assert (tag.key, tag.value) == ("owner", "us")


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("search", {"Resource": "TrainingJob"}),
        ("list_model_cards", {}),
        ("query_lineage", {}),
        ("list_experiments", {}),
        ("list_monitoring_schedules", {}),
    ],
)
def test_what_is_not_there_says_so(workbench: Workbench, operation: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="The local cloud does not implement SageMaker") as refused:
        getattr(workbench.sagemaker, operation)(**arguments)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
