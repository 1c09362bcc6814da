"""serving.mode = "batch": everything but an endpoint, and whatever goes with one."""

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
def batch(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The stacks of `tumor` in production, without an endpoint."""
    configuration = Configuration.read(root, environment="prod", model="tumor")
    model = configuration.model.model_copy(update={"serving": ModelServingSettings(mode="batch")})
    return compose_alone(dataclasses.replace(configuration, model=model), tmp_path_factory.mktemp("batch"))


@pytest.fixture(scope="module")
def states(batch: Synthesis) -> dict[str, Any]:
    machines = batch.of_type("AWS::StepFunctions::StateMachine")
    [machine] = [machine for name, machine in machines.items() if name.startswith("Release")]
    found: dict[str, Any] = json.loads(render(machine["Properties"]["DefinitionString"]))["States"]
    return found


def actions(batch: Synthesis, role: str) -> set[str]:
    [found] = [r for name, r in batch.of_type("AWS::IAM::Role").items() if name.startswith(role)]
    statements = found["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}


def test_a_release_verifies_makes_the_model_and_records_it(states: dict[str, Any]) -> None:
    order = ["Verify", "CreateModel", "ReadLive", "IsItOvertaken"]
    assert [states[name]["Next"] for name in order[:-1]] == order[1:]
    assert states["IsItOvertaken"]["Default"] == states["ReadLive"]["Catch"][0]["Next"] == "NoteVersion"
    [later] = states["IsItOvertaken"]["Choices"]
    assert (later["StringGreaterThanEqualsPath"], later["Next"]) == ("$.approval", "Overtaken")
    assert states["NoteVersion"]["Next"] == "RecordVersion"
    noted = {key.removesuffix(".$") for key in states["NoteVersion"]["Parameters"]}
    assert noted == {
        "model_version",
        "model_package_arn",
        "model",
        "model_name",
        "approved_at",
        "released_at",
    }
    assert states["CreateModel"]["Parameters"]["EnableNetworkIsolation"] is True


def test_only_then_is_an_endpoint_of_earlier_days_deleted(states: dict[str, Any]) -> None:
    assert states["RecordVersion"]["Next"] == "StopScaling"
    assert states["StopScaling"]["Next"] == states["StopScaling"]["Catch"][0]["Next"] == "DeleteEndpoint"
    assert states["DeleteEndpoint"]["Next"] == "NoEndpoint"
    missing, *passing = states["WhyNotDeleted"]["Choices"]
    assert missing["Next"] == "NoEndpoint"
    assert {choice["Next"] for choice in passing} == {"WaitToDelete"}
    assert states[states["WhyNotDeleted"]["Default"]]["Type"] == "Fail"
    shape = operation("DeleteEndpoint").input_shape
    assert list(conform(states["DeleteEndpoint"]["Parameters"], shape, "DeleteEndpoint")) == []


def test_no_other_call_is_about_an_endpoint(batch: Synthesis, states: dict[str, Any]) -> None:
    called = {state.get("Resource", "").rpartition(":")[2] for state in states.values()}
    assert {call for call in called if "ndpoint" in call} == {"deleteEndpoint"}
    assert {a for a in actions(batch, "ReleaseStateMachineRole") if "ndpoint" in a} == {
        "sagemaker:DeleteEndpoint"
    }


def test_every_state_it_names_exists(states: dict[str, Any]) -> None:
    named = {
        branch[key]
        for state in states.values()
        for branch in (state, *state.get("Choices", ()), *state.get("Catch", ()))
        for key in ("Next", "Default")
        if key in branch
    }
    assert named | {"Verify"} == set(states)


def test_every_upload_is_too_large_for_the_function(batch: Synthesis) -> None:
    [function] = [
        f["Properties"]
        for name, f in batch.of_type("AWS::Lambda::Function").items()
        if name.startswith("ScoringScoreUpload")
    ]
    assert function["Environment"]["Variables"]["MAX_UPLOAD_BYTES"] == "0"
    assert "sagemaker:InvokeEndpoint" not in actions(batch, "ScoringScoreUpload")


def test_nothing_of_an_endpoint_is_watched_or_put_out(batch: Synthesis) -> None:
    alarms = [a["Properties"] for a in batch.of_type("AWS::CloudWatch::Alarm").values()]
    assert not [alarm for alarm in alarms if alarm["Namespace"] == "AWS/SageMaker"]
    assert [alarm for alarm in alarms if alarm["AlarmName"].endswith("-batch-failed")]
    assert "Endpoint" not in batch.loop["Outputs"]
    assert "s3:PutObject" not in actions(batch, "ServingRole")
