"""Serverless variants: no process while nobody asks, one as soon as somebody does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.serving import ask, config, model, running
from tests.local.sagemaker.workbench import Workbench, wait_for

pytestmark = pytest.mark.local_cloud

SIZE = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}


def serverless(workbench: Workbench, name: str, **members: Any) -> str:
    """A serverless configuration of a model, of the model's name."""
    live = {"VariantName": "live", "ModelName": name, "ServerlessConfig": SIZE}
    workbench.sagemaker.create_endpoint_config(
        EndpointConfigName=name, **{"ProductionVariants": [live], **members}
    )
    return name


def processes(endpoint: str) -> int:
    """How many processes on this machine serve the endpoint."""
    found = 0
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += f"/endpoints/{endpoint}/".encode() in environ.read_bytes()
        except OSError:  # ended, or another's
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="counts processes by /proc")
def test_an_idle_server_is_ended_and_the_next_request_starts_it(workbench: Workbench) -> None:
    with running(workbench, serverless(workbench, model(workbench, "blue"))) as endpoint:
        assert ask(workbench, endpoint)["release"] == "blue"
        wait_for(lambda: processes(endpoint) == 0, "scaling to zero")
        assert ask(workbench, endpoint)["release"] == "blue"
        assert processes(endpoint) == 1
        setup = workbench.total("AWS/SageMaker", "ModelSetupTime", EndpointName=endpoint, VariantName="live")
        assert 0 < setup < 60e6
        described = workbench.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
        assert described["CurrentServerlessConfig"] == SIZE
        assert "CurrentInstanceCount" not in described
        with pytest.raises(ClientError, match="HTTP content length exceeded 4194304 bytes"):
            ask(workbench, endpoint, "x" * 4_194_305)
    wait_for(lambda: processes(endpoint) == 0, "the end of its server")


def test_more_requests_than_its_concurrency_are_throttled(workbench: Workbench, tmp_path: Path) -> None:
    signal = tmp_path / "signal"
    with (
        running(workbench, serverless(workbench, model(workbench, "blue"))) as endpoint,
        ThreadPoolExecutor() as pool,
    ):
        asked = pool.submit(ask, workbench, endpoint, f"until {signal}")
        logs = f"/aws/sagemaker/Endpoints/{endpoint}"
        wait_for(lambda: f"until {signal}" in workbench.lines(logs, "live/"), "the question")
        with pytest.raises(ClientError) as refusal:
            ask(workbench, endpoint)
        signal.touch()
        assert asked.result()["release"] == "blue"
        assert refusal.value.response["Error"]["Code"] == "ThrottlingException"


@pytest.mark.parametrize(
    ("members", "isolated", "feature"),
    [
        (
            {
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 1,
                    "DestinationS3Uri": "s3://workbench/captured",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            False,
            "data capture",
        ),
        ({}, True, "network isolation"),
    ],
)
def test_what_serverless_inference_does_not_support_is_refused(
    workbench: Workbench, members: dict[str, Any], isolated: bool, feature: str
) -> None:
    name = model(workbench, "blue", EnableNetworkIsolation=isolated)
    with pytest.raises(ClientError, match=f"Serverless Inference does not support {feature}"):
        serverless(workbench, name, **members)


def test_instances_cannot_become_serverless(workbench: Workbench) -> None:
    green = serverless(workbench, model(workbench, "green"))
    with running(workbench, config(workbench, "blue")) as endpoint:
        with pytest.raises(ClientError, match="cannot be updated to serverless"):
            workbench.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=green)
        assert ask(workbench, endpoint)["release"] == "blue"
