"""The batch path's state machine: its states, its calls, and what it may do."""

from __future__ import annotations

from typing import Any

import pytest

from contract.layout import BATCH_PREFIX
from contract.serving import MAX_REQUEST_BYTES
from infra.batch.jobs import MAX_ATTEMPTS
from infra.training.pipeline.shapes import conform, operation
from tests.infra.machines import Machine, calls, follows, known, machine_of, reached
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth


@pytest.fixture
def machine(stacks: Synthesis) -> Machine:
    return machine_of(stacks, "-batch")


def transform(machine: dict[str, Any]) -> dict[str, Any]:
    return dict(calls(machine))["CreateTransformJob"]


def test_every_state_is_reached_and_every_path_ends(machine: dict[str, Any]) -> None:
    states = machine["States"]
    assert reached(machine) == set(states)
    assert {name for name, s in states.items() if not [*follows(s)]} == {
        "CreateModelRefused",
        "Done",
        "JobFailed",
        "PartsNotScored",
    }


def test_calls_have_the_shape_that_sagemaker_takes(machine: dict[str, Any]) -> None:
    for name, parameters in calls(machine):
        assert list(conform(known(parameters), operation(name).input_shape, name)) == []


def test_every_call_is_retried_and_a_job_that_exists_is_waited_for(machine: dict[str, Any]) -> None:
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            assert state["Retry"], name
        if state.get("Resource", "").endswith("Job") and ":sagemaker:create" in state["Resource"]:
            caught = {error: catch["Next"] for catch in state["Catch"] for error in catch["ErrorEquals"]}
            assert caught == {
                "SageMaker.ResourceInUseException": state["Next"],
                "SageMaker.ResourceLimitExceededException": f"{name}ReachedQuota",
            }


def test_a_quota_that_was_reached_is_told_at_once_and_asked_for_again(machine: dict[str, Any]) -> None:
    states = machine["States"]
    for title in ("Split", "Transform", "Assemble"):
        [quota] = [
            retry
            for retry in states[title]["Retry"]
            if "SageMaker.ResourceLimitExceededException" in retry["ErrorEquals"]
        ]
        waited = sum(
            quota["IntervalSeconds"] * quota["BackoffRate"] ** n for n in range(quota["MaxAttempts"])
        )
        assert waited <= 120, "nobody is told before"
        told = states[f"{title}ReachedQuota"]
        assert told["Resource"].endswith(":cloudwatch:putMetricData")
        [point] = told["Parameters"]["MetricData"]
        assert (told["Parameters"]["Namespace"], point["MetricName"]) == ("Millrace", "QuotaReached")
        assert {each["Name"] for each in point["Dimensions"]} == {"Environment", "Model"}
        wait = states[told["Next"]]
        assert (wait["Type"], wait["Next"]) == ("Wait", title)


def test_every_status_of_a_job_leads_somewhere(machine: dict[str, Any]) -> None:
    for title in ("Split", "Transform", "Assemble"):
        choice = machine["States"][f"Has{title}Ended"]
        ended = {c["StringEquals"] for c in choice["Choices"]}
        assert ended == {"Completed", "Failed", "Stopped"}
        assert choice["Default"] == f"WaitFor{title}"


def test_a_part_is_one_request_whose_failure_is_its_own(machine: dict[str, Any]) -> None:
    job = transform(machine)
    source = job["TransformInput"]
    assert (source["SplitType"], job["BatchStrategy"]) == ("None", "SingleRecord")
    assert source["DataSource"]["S3DataSource"]["S3DataType"] == "ManifestFile"
    assert job["MaxPayloadInMB"] * 10**6 > MAX_REQUEST_BYTES
    assert job["MaxPayloadInMB"] * job["MaxConcurrentTransforms"] <= 100


def test_a_transform_that_failed_counts_for_what_it_answered(machine: dict[str, Any]) -> None:
    failed = {c["StringEquals"]: c["Next"] for c in machine["States"]["HasTransformEnded"]["Choices"]}
    assert failed == {"Completed": "Assemble", "Failed": "Assemble", "Stopped": "JobFailed"}


@pytest.mark.parametrize("title", ["Split", "Assemble"])
def test_a_job_that_failed_is_done_again_under_another_name_and_not_for_ever(
    machine: dict[str, Any], title: str
) -> None:
    states = machine["States"]
    ended = {c["StringEquals"]: c["Next"] for c in states[f"Has{title}Ended"]["Choices"]}
    assert (ended["Failed"], ended["Stopped"]) == (f"May{title}Again", "JobFailed")
    [more] = states[f"May{title}Again"]["Choices"]
    assert (more["NumericLessThan"], states[f"May{title}Again"]["Default"]) == (MAX_ATTEMPTS, "JobFailed")
    again = states[more["Next"]]
    assert again["Next"] == title
    assert again["Parameters"].keys() == states["NextRound"]["Parameters"].keys()
    assert "$.job.attempt" in states[title]["Parameters"]["ProcessingJobName.$"]


def test_the_image_that_cuts_parts_answers_them(machine: dict[str, Any]) -> None:
    made = dict(calls(machine))
    container = made["CreateModel"]["PrimaryContainer"]
    assert container["Image"] == made["CreateProcessingJob"]["AppSpecification"]["ImageUri"]
    assert "ModelPackageName" not in container
    assert made["CreateTransformJob"]["ModelName.$"] == made["CreateModel"]["ModelName.$"]


def test_the_model_is_deleted_where_nothing_is_left_to_score(machine: dict[str, Any]) -> None:
    states = machine["States"]
    after = {
        choice["StringEquals"]: choice["Next"]
        for choice in states["IsAssembled"]["Choices"]
        if choice["Next"] == "DeleteModel"
    }
    assert after.keys() == {"assembled", "settled", "gone", "unscorable"}
    [caught] = states["DeleteModel"]["Catch"]
    assert caught["Next"] == states["DeleteModel"]["Next"] == "Done"


def test_rounds_are_bounded(stacks: Synthesis, machine: dict[str, Any]) -> None:
    settings = stacks.configuration.environment.batch
    *_, more, no_more = machine["States"]["IsAssembled"]["Choices"]
    assert more["And"][1] == {"Variable": "$.job.round", "NumericLessThan": settings.rounds}
    assert (more["Next"], no_more["Next"]) == ("NextRound", "PartsNotScored")
    assert machine["TimeoutSeconds"] == settings.timeout_minutes * 60


def test_names_of_jobs_fit(stacks: Synthesis, machine: dict[str, Any]) -> None:
    longest = f"millrace-{'e' * 12}-{'m' * 24}"
    assert len(f"{longest}-{'f' * 12}-a9{MAX_ATTEMPTS}") <= 63


def test_the_role_allows_each_call_and_no_other_of_sagemaker(
    stacks: Synthesis, machine: dict[str, Any]
) -> None:
    roles = stacks.of_type("AWS::IAM::Role")
    [role] = [role for name, role in roles.items() if name.startswith("BatchStateMachineRole")]
    allowed = {
        action
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        if action.startswith("sagemaker:")
    }
    assert allowed == {f"sagemaker:{name}" for name, _ in calls(machine)}


def test_rows_of_uploads_do_not_stay_in_the_artifacts(stacks: Synthesis) -> None:
    rules = [
        rule
        for bucket in stacks.of_type("AWS::S3::Bucket").values()
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        if rule.get("Prefix") == BATCH_PREFIX
    ]
    [rule] = rules
    assert rule["ExpirationInDays"] == stacks.configuration.environment.batch.kept_days
