"""The release state machine: its states, its calls, and what it may do."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import get_session

from adapters.errors import Transient
from infra.release.endpoint_configuration import Capture
from infra.settings.environment import ServingSettings
from infra.training.pipeline.shapes import conform, operation
from tests.infra.machines import Machine, calls, follows, known, machine_of, reached
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth


@pytest.fixture
def machine(stacks: Synthesis) -> Machine:
    return machine_of(stacks, "-release")


BY_AUTOSCALING = {"sagemaker:DescribeEndpointConfig", "sagemaker:UpdateEndpointWeightsAndCapacities"}
"""What Application Auto Scaling does for its callers only where they may do it themselves."""


def test_every_state_is_reached_and_every_path_ends(machine: dict[str, Any]) -> None:
    states = machine["States"]
    assert reached(machine) == set(states)
    for name, state in states.items():
        assert list(follows(state)) or state.get("End") or state["Type"] in ("Fail", "Succeed"), name


def test_every_call_is_retried_and_all_end_in_time(machine: dict[str, Any]) -> None:
    for name, state in machine["States"].items():
        assert state["Type"] != "Task" or "Retry" in state or "Catch" in state, name
    assert machine["TimeoutSeconds"] > 0


def test_what_may_succeed_within_seconds_is_verified_again(machine: Machine) -> None:
    [retry] = machine["States"]["Verify"]["Retry"]
    assert Transient.__name__ in retry["ErrorEquals"]


@pytest.mark.parametrize("ending", ["-release", "-batch"])
def test_a_call_without_an_answer_is_made_again(stacks: Synthesis, ending: str) -> None:
    """Step Functions tells it by the name of the service and that of the SDK's exception."""
    for name, state in machine_of(stacks, ending)["States"].items():
        if ":aws-sdk:" not in state.get("Resource", ""):
            continue
        caught = [error for retry in state.get("Retry", []) for error in retry["ErrorEquals"]]
        if any(error.endswith(".SdkClientException") for error in caught):
            continue
        [looked_at] = state["Catch"]
        why = machine_of(stacks, ending)["States"][looked_at["Next"]]
        assert "*.SdkClientException" in [c.get("StringMatches") for c in why["Choices"]], name


def test_what_was_verified_is_known_to_the_end(machine: dict[str, Any]) -> None:
    for name, state in machine["States"].items():
        if state["Type"] == "Task" and name != "Verify" and not state.get("End"):
            assert state["ResultPath"].startswith("$."), f"{name} replaces what is known by its answer"


def test_calls_have_the_shape_that_sagemaker_takes(machine: dict[str, Any]) -> None:
    found = dict(calls(machine))
    assert set(found) == {
        "CreateModel",
        "CreateEndpointConfig",
        "DescribeEndpoint",
        "CreateEndpoint",
        "UpdateEndpoint",
        "DeleteEndpoint",
    }
    for name, parameters in found.items():
        assert list(conform(known(parameters), operation(name).input_shape, name)) == []


def test_the_role_allows_each_call_and_no_other_of_sagemaker(
    stacks: Synthesis, machine: dict[str, Any]
) -> None:
    roles = stacks.of_type("AWS::IAM::Role")
    [role] = [role for name, role in roles.items() if name.startswith("ReleaseStateMachineRole")]
    allowed = {
        action
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    ours = {action for action in allowed if action.startswith("sagemaker:")}
    # CreateModel reads the package it is given on behalf of who calls it.
    implied = {"sagemaker:DescribeModelPackage", *BY_AUTOSCALING}
    assert ours == {f"sagemaker:{name}" for name, _ in calls(machine)} | implied
    scaling = {action for action in allowed if action.startswith("application-autoscaling:")}
    assert scaling == {
        f"application-autoscaling:{name}" for name, _ in calls(machine, "applicationautoscaling")
    }


def test_what_clients_ask_is_captured_as_the_models_settings_say(
    stacks: Synthesis, machine: dict[str, Any]
) -> None:
    capture = dict(calls(machine))["CreateEndpointConfig"]["DataCaptureConfig"]
    assert capture["EnableCapture"] is True
    assert capture["InitialSamplingPercentage"] == stacks.configuration.model.serving.capture_percent == 100
    assert capture["DestinationS3Uri"].endswith("/captured")
    assert {option["CaptureMode"] for option in capture["CaptureOptions"]} == {"Input", "Output"}
    assert capture["CaptureContentTypeHeader"] == {
        "CsvContentTypes": ["text/csv"],
        "JsonContentTypes": ["application/json", "application/jsonlines"],
    }


def test_a_model_may_keep_nothing_of_what_clients_ask() -> None:
    assert Capture(percent=0, uri="s3://bucket/captured").to_dict("key")["EnableCapture"] is False


def test_the_endpoint_is_believed_only_where_it_runs_the_new_configuration(machine: dict[str, Any]) -> None:
    choice = machine["States"]["IsItLive"]
    live, overtaken = choice["Choices"]
    assert machine["States"][overtaken["Next"]]["Type"] == "Succeed"
    assert live == {
        "Variable": "$.endpoint.EndpointConfigName",
        "StringEqualsPath": "$.endpoint_config_name",
        "Next": "NoteVersion",
    }
    at_rest = [c for c in machine["States"]["IsItAtRest"]["Choices"] if c["Next"] != "Wait"]
    assert [each["StringEquals"] for each in at_rest] == ["InService"]
    assert choice["Default"] == machine["States"]["IsItAtRest"]["Default"] == "WhyNotLive"


def test_a_release_that_is_not_live_carries_sagemakers_own_cause(machine: dict[str, Any]) -> None:
    states = machine["States"]
    assert states["WhyNotUpdated"]["Default"] == "NoteRefusal"
    assert (states["NoteRefusal"]["InputPath"], states["NoteRefusal"]["ResultPath"]) == (
        "$.error",
        "$.refusal",
    )
    causes = {choice["Variable"]: choice["Next"] for choice in states["WhyNotLive"]["Choices"]}
    assert list(causes) == ["$.refusal.Cause", "$.endpoint.FailureReason"]
    for path, name in causes.items():
        assert states[name]["Parameters"]["cause.$"].endswith(f"{{}}', {path})")
        end = states[states[name]["Next"]]
        assert end == {"Type": "Fail", "Error": "NotLive", "CausePath": "$.not_live.cause"}
    without = states[states["WhyNotLive"]["Default"]]
    assert (without["Type"], without["Error"]) == ("Fail", "NotLive")
    assert "ResultSelector" not in states["DescribeEndpoint"], (
        "it would drop the reason, or fail where there is none"
    )


def test_an_endpoint_that_runs_a_later_approval_is_not_updated(machine: dict[str, Any]) -> None:
    states = machine["States"]
    first, then, *_ = states["MayItBeUpdated"]["Choices"]
    later = {
        "Variable": "$.endpoint.EndpointConfigName",
        "StringGreaterThanEqualsPath": "$.approval",
    }
    assert later in first["And"]
    assert (first["Next"], then["Next"]) == ("StartScaling", "UpdateEndpoint")
    for name in ("CreateEndpoint", "UpdateEndpoint"):
        assert "Retry" not in states[name], "between two tries a later approval may have gone live"
        [caught] = states[name]["Catch"]
        assert "WaitForOthers" in follows(states[caught["Next"]])
    assert states["WaitForOthers"]["Next"] == "LookForEndpoint"


def test_what_was_made_before_its_answer_was_lost_is_used(machine: dict[str, Any]) -> None:
    states = machine["States"]
    for name in ("CreateModel", "CreateEndpointConfig"):
        [caught] = states[name]["Catch"]
        why = states[caught["Next"]]
        [exists] = why["Choices"]
        assert exists["StringMatches"] == "*already existing*"
        assert exists["Next"] == states[name]["Next"]
        assert states[why["Default"]]["CausePath"] == "$.error.Cause"
    # Only this execution makes what has these names.
    assert states["CreateModel"]["Parameters"]["ModelName.$"] == "$.model_name"
    named = states["CreateEndpointConfig"]["Parameters"]["EndpointConfigName.$"]
    assert named == "$.endpoint_config_name"


def test_autoscaling_is_off_during_an_update_and_on_after_it_whatever_came_of_it(
    machine: dict[str, Any],
) -> None:
    states = machine["States"]
    assert states["CreateEndpointConfig"]["Next"] == "StopScaling"
    assert states["StopScaling"]["Next"] == states["StopScaling"]["Catch"][0]["Next"] == "LookForEndpoint"
    [caught] = states["UpdateEndpoint"]["Catch"]
    assert set(follows(states[caught["Next"]])) == {"NoteRefusal", "WaitForOthers"}
    assert states["NoteRefusal"]["Next"] == "Wait"
    for name in ("CreateEndpoint", "UpdateEndpoint"):
        assert states[name]["Next"] == "Wait"
    assert {name for name, state in states.items() if "IsItLive" in follows(state)} == {"PutScalingPolicy"}
    assert {name for name, state in states.items() if "StartScaling" in follows(state)} == {
        "MayItBeUpdated",  # where a later approval is live
        "IsItAtRest",
    }
    assert states["UpdateEndpoint"]["Parameters"]["RetainAllVariantProperties"] is True


def test_autoscaling_is_what_the_settings_say(stacks: Synthesis, machine: dict[str, Any]) -> None:
    settings = stacks.configuration.environment.serving
    found = dict(calls(machine, "applicationautoscaling"))
    assert set(found) == {"DeregisterScalableTarget", "RegisterScalableTarget", "PutScalingPolicy"}
    service: Any = get_session().get_service_model("application-autoscaling")
    for name, parameters in found.items():
        assert list(conform(parameters, service.operation_model(name).input_shape, name)) == []
        assert parameters["ResourceId"] == f"endpoint/{endpoint_of(machine)}/variant/live"
    limits = found["RegisterScalableTarget"]
    assert (limits["MinCapacity"], limits["MaxCapacity"]) == (settings.min_instances, settings.max_instances)
    policy = found["PutScalingPolicy"]["TargetTrackingScalingPolicyConfiguration"]
    assert policy["TargetValue"] == stacks.configuration.model.serving.invocations_per_instance
    assert (policy["ScaleOutCooldown"], policy["ScaleInCooldown"]) == (
        settings.scale_out_seconds,
        settings.scale_in_seconds,
    )


def test_production_has_two_instances_or_more_unless_told_otherwise(stacks: Synthesis) -> None:
    assert ServingSettings().min_instances == 2
    if stacks.configuration.environment_name == "prod":
        assert stacks.configuration.environment.serving.min_instances >= 2


def endpoint_of(machine: dict[str, Any]) -> str:
    return str(machine["States"]["CreateEndpoint"]["Parameters"]["EndpointName"])


def test_every_endpoint_status_leads_somewhere(machine: dict[str, Any]) -> None:
    output: Any = operation("DescribeEndpoint").output_shape
    statuses = set(output.members["EndpointStatus"].enum)
    named = {
        condition["StringEquals"]
        for state in ("MayItBeUpdated", "IsItAtRest")
        for choice in machine["States"][state]["Choices"]
        for condition in choice.get("And", [choice])
        if "StringEquals" in condition
    }
    assert named <= statuses
    assert statuses - named == {"OutOfService", "UpdateRollbackFailed"}  # these end in a failure that pages


def test_the_live_version_is_recorded_under_the_agreed_name(
    stacks: Synthesis, machine: dict[str, Any]
) -> None:
    environment = stacks.configuration.environment_name
    record = machine["States"]["RecordVersion"]["Parameters"]
    assert (record["Name"], record["Overwrite"]) == (f"/millrace/{environment}/tumor/live", True)
    noted = {key.removesuffix(".$") for key in machine["States"]["NoteVersion"]["Parameters"]}
    assert noted == {
        "model_version", "model_package_arn", "endpoint", "endpoint_config", "model", "model_name",
        "approved_at", "released_at",
    }  # fmt: skip
