"""Models and endpoints, as they serve on a cloud."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.serving import artifact, ask, config, running
from tests.local.sagemaker.workbench import ACCOUNT, BUCKET, IMAGE, Workbench, wait_for

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def endpoint(workbench: Workbench) -> Any:
    """A new endpoint of release `blue`, deleted afterwards."""
    with running(workbench, config(workbench, "blue")) as name:
        yield name


def test_endpoint_serves_the_models_artifact_and_variables(workbench: Workbench, endpoint: str) -> None:
    answer = ask(workbench, endpoint, CustomAttributes="trace-1", ContentType="text/csv")
    assert answer == {
        "body": "hello",
        "release": "blue",
        "model": "blue",
        "attributes": "answered:trace-1",
        "variant": "live",
    }
    described = workbench.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert "serving" in workbench.lines(f"/aws/sagemaker/Endpoints/{endpoint}", "live/i-")


@pytest.mark.parametrize(("body", "status", "whose"), [("boom", 500, "server"), ("bad", 400, "client")])
def test_models_errors_are_model_errors(
    workbench: Workbench, endpoint: str, body: str, status: int, whose: str
) -> None:
    with pytest.raises(workbench.runtime.exceptions.ModelError) as refusal:
        ask(workbench, endpoint, body)
    answer = refusal.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert answer["OriginalStatusCode"] == status
    assert json.loads(answer["OriginalMessage"])["body"] == body
    assert f"log-group:/aws/sagemaker/Endpoints/{endpoint}:log-stream:live/i-" in answer["LogStreamArn"]
    assert answer["Error"]["Message"].startswith(
        f"Received {whose} error ({status}) from primary with message"
    )


def test_missing_endpoint_is_a_validation_error(workbench: Workbench) -> None:
    with pytest.raises(ClientError, match=f"Endpoint nowhere of account {ACCOUNT} not found.") as refusal:
        ask(workbench, "nowhere")
    assert refusal.value.response["Error"]["Code"] == "ValidationError"


def test_what_an_endpoint_cannot_be_asked_here_is_refused_by_name(
    workbench: Workbench, endpoint: str
) -> None:
    with pytest.raises(
        ClientError, match="InvokeEndpoint with the header x-amzn-sagemaker-target-model"
    ) as no:
        ask(workbench, endpoint, TargetModel="other.tar.gz")
    assert no.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_body_beyond_the_limit_is_refused(workbench: Workbench, endpoint: str) -> None:
    assert len(ask(workbench, endpoint, "x" * 6_291_456)["body"]) == 6_291_456
    with pytest.raises(ClientError, match="HTTP content length exceeded 6291456 bytes"):
        ask(workbench, endpoint, "x" * 6_291_457)


def test_update_switches_without_a_gap(workbench: Workbench, endpoint: str) -> None:
    green = config(workbench, "green")
    stop, seen, errors = threading.Event(), [], []

    def ask_on() -> None:
        while not stop.is_set():
            try:
                seen.append(ask(workbench, endpoint)["release"])
            except ClientError as error:
                errors.append(error)

    asking = threading.Thread(target=ask_on)
    asking.start()
    workbench.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=green)
    with pytest.raises(
        ClientError, match=f'Cannot update in-progress endpoint "arn:aws:sagemaker.*{endpoint}"'
    ):
        workbench.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=green)
    described = workbench.endpoint(endpoint)
    wait_for(lambda: "green" in seen, "an answer of the new fleet")
    stop.set()
    asking.join()
    assert described["EndpointConfigName"] == green
    assert seen.index("green") == seen.count("blue")
    assert errors == []


def test_update_ends_the_old_fleet_once_it_has_answered(
    workbench: Workbench, endpoint: str, tmp_path: Path
) -> None:
    servers = workbench.folder / "endpoints" / endpoint
    logs = f"/aws/sagemaker/Endpoints/{endpoint}"
    green, signal = config(workbench, "green"), tmp_path / "signal"
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ask, workbench, endpoint, f"until {signal}")
        wait_for(lambda: f"until {signal}" in workbench.lines(logs, "live/"), "the question")
        workbench.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=green)
        assert workbench.endpoint(endpoint)["EndpointConfigName"] == green
        assert ask(workbench, endpoint)["release"] == "green"
        assert len(list(servers.iterdir())) == 2
        signal.touch()
        assert asked.result()["release"] == "blue"
    wait_for(lambda: len(list(servers.iterdir())) == 1, "the end of the old server")


def test_update_to_a_broken_model_rolls_back(workbench: Workbench, endpoint: str) -> None:
    before = workbench.endpoint(endpoint)["EndpointConfigName"]
    workbench.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config(workbench, "broken"))
    described = workbench.endpoint(endpoint)
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == before
    assert "production variant live did not pass the ping health check" in described["FailureReason"]
    assert ask(workbench, endpoint)["release"] == "blue"


def test_new_endpoint_of_a_broken_model_fails(workbench: Workbench) -> None:
    workbench.sagemaker.create_endpoint(
        EndpointName="stillborn", EndpointConfigName=config(workbench, "broken")
    )
    assert workbench.endpoint("stillborn")["EndpointStatus"] == "Failed"
    with pytest.raises(ClientError, match="Cannot update failed endpoint"):
        workbench.sagemaker.update_endpoint(
            EndpointName="stillborn", EndpointConfigName=config(workbench, "blue")
        )
    workbench.sagemaker.delete_endpoint(EndpointName="stillborn")


def test_server_that_dies_comes_back(workbench: Workbench, endpoint: str) -> None:
    with pytest.raises(workbench.runtime.exceptions.ModelError):
        ask(workbench, endpoint, "die")

    def alive() -> bool:
        try:
            return bool(ask(workbench, endpoint)["release"] == "blue")
        except ClientError:
            return False

    wait_for(alive, "the server")


def test_endpoints_states_are_events(workbench: Workbench) -> None:
    queue = workbench.queue_of_events(
        {"detail-type": ["SageMaker Endpoint State Change"], "detail": {"EndpointName": ["told"]}}
    )
    workbench.sagemaker.create_endpoint(EndpointName="told", EndpointConfigName=config(workbench, "blue"))
    workbench.endpoint("told")
    workbench.sagemaker.delete_endpoint(EndpointName="told")
    states = [workbench.next_event(queue)["detail"]["EndpointStatus"] for _ in range(3)]
    assert states == ["CREATING", "IN_SERVICE", "DELETING"]


def test_deleted_endpoint_is_gone(workbench: Workbench) -> None:
    workbench.sagemaker.create_endpoint(EndpointName="gone", EndpointConfigName=config(workbench, "blue"))
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        workbench.sagemaker.delete_endpoint(EndpointName="gone")
    workbench.endpoint("gone")
    workbench.sagemaker.delete_endpoint(EndpointName="gone")
    with pytest.raises(ClientError, match="not found"):
        ask(workbench, "gone")
    wait_for(lambda: not any((workbench.folder / "endpoints" / "gone").glob("i-*")), "the end of its server")


def test_invocations_are_measured(workbench: Workbench, endpoint: str) -> None:
    ask(workbench, endpoint)
    with pytest.raises(ClientError):
        ask(workbench, endpoint, "boom")

    def total(metric: str) -> float:
        return workbench.total("AWS/SageMaker", metric, EndpointName=endpoint, VariantName="live")

    assert total("Invocations") == 2
    assert total("Invocation5XXErrors") == 1
    assert total("Invocation4XXErrors") == 0
    assert 0 < total("ModelLatency") < 60e6


def test_invoking_is_authorised_on_the_endpoint(workbench: Workbench, endpoint: str) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint"
    for resource, allowed in ((f"{arn}/{endpoint}", True), (f"{arn}/another", False)):
        role = workbench.role("caller", ["lambda.amazonaws.com"], ["sagemaker:InvokeEndpoint"], resource)
        runtime = workbench.client("sagemaker-runtime", workbench.assume(role))
        if allowed:
            runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x")
        else:
            with pytest.raises(ClientError, match=f"sagemaker:InvokeEndpoint on resource: {arn}/{endpoint}"):
                runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x")


def test_creating_an_endpoint_is_authorised_on_its_configuration_too(workbench: Workbench) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/*"
    role = workbench.role("deployer", ["states.amazonaws.com"], ["sagemaker:CreateEndpoint"], arn)
    with pytest.raises(ClientError, match=r"sagemaker:CreateEndpoint on resource: .*:endpoint-config/"):
        workbench.client("sagemaker", workbench.assume(role)).create_endpoint(
            EndpointName="forbidden", EndpointConfigName=config(workbench, "blue")
        )


def test_model_whose_artifact_its_role_cannot_read_is_refused(workbench: Workbench) -> None:
    role = workbench.role("blind", ["sagemaker.amazonaws.com"], [])
    container = {"Image": IMAGE, "ModelDataUrl": artifact(workbench, "hidden")}
    with pytest.raises(ClientError, match=f"Could not access model data at s3://{BUCKET}/artifacts/hidden"):
        workbench.sagemaker.create_model(
            ModelName="hidden", PrimaryContainer=container, ExecutionRoleArn=role
        )
