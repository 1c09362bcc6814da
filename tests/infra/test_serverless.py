"""serving.mode = "serverless": what SageMaker does not do for it is not asked for, and not allowed either."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from infra.app import Configuration
from infra.settings.model import ModelServingSettings
from infra.training.pipeline.shapes import conform, operation
from infra.training.pipeline.template import render
from tests.synthesis import Synthesis, compose_alone

pytestmark = pytest.mark.synth


@pytest.fixture(scope="module")
def serverless(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The stacks of `tumor` in production, serverless."""
    configuration = Configuration.read(root, environment="prod", model="tumor")
    model = configuration.model.model_copy(update={"serving": ModelServingSettings(mode="serverless")})
    return compose_alone(
        dataclasses.replace(configuration, model=model), tmp_path_factory.mktemp("serverless")
    )


@pytest.fixture(scope="module")
def states(serverless: Synthesis) -> dict[str, Any]:
    machines = serverless.of_type("AWS::StepFunctions::StateMachine")
    [machine] = [machine for name, machine in machines.items() if name.startswith("Release")]
    found: dict[str, Any] = json.loads(render(machine["Properties"]["DefinitionString"]))["States"]
    return found


def test_the_variant_has_a_size_and_no_instances(serverless: Synthesis, states: dict[str, Any]) -> None:
    parameters = states["CreateEndpointConfig"]["Parameters"]
    [variant] = parameters["ProductionVariants"]
    settings = serverless.configuration.environment.serving
    assert variant["ServerlessConfig"] == {
        "MemorySizeInMB": settings.serverless_memory_mib,
        "MaxConcurrency": settings.serverless_max_concurrency,
    }
    assert not {"InstanceType", "InitialInstanceCount"} & variant.keys()
    shape: Any = operation("CreateEndpointConfig").input_shape
    variants = shape.members["ProductionVariants"].member
    known = {name.removesuffix(".$"): value for name, value in variant.items()}
    known["ModelName"] = "made-by-the-release"
    assert list(conform(known, variants, "ProductionVariants")) == []


def test_an_upload_is_asked_about_in_requests_that_it_takes(serverless: Synthesis) -> None:
    functions = [f["Properties"] for f in serverless.of_type("AWS::Lambda::Function").values()]
    [scoring] = [f for f in functions if "score_upload" in f["Handler"]]
    assert scoring["Environment"]["Variables"]["MAX_REQUEST_BYTES"] == str(4 * 1024 * 1024)


def test_neither_isolation_nor_capture_is_asked_for(states: dict[str, Any]) -> None:
    assert states["CreateModel"]["Parameters"]["EnableNetworkIsolation"] is False
    assert "DataCaptureConfig" not in states["CreateEndpointConfig"]["Parameters"]
    assert "RetainAllVariantProperties" not in states["UpdateEndpoint"]["Parameters"]


def test_nothing_scales_it_but_sagemaker(serverless: Synthesis, states: dict[str, Any]) -> None:
    assert not [name for name, state in states.items() if "autoscaling" in state.get("Resource", "")]
    roles = json.dumps(serverless.of_type("AWS::IAM::Role"))
    assert "application-autoscaling" not in roles
    assert "CreateServiceLinkedRole" not in roles


def test_every_state_it_names_exists(states: dict[str, Any]) -> None:
    named = {
        branch[key]
        for state in states.values()
        for branch in (state, *state.get("Choices", ()), *state.get("Catch", ()))
        for key in ("Next", "Default")
        if key in branch
    }
    assert named | {"Verify"} == set(states)
