"""No job outlives its execution: each is bounded by its time-out, and stopped where it ends without success."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.machines import calls, machine_of
from tests.infra.policies import of_roles
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth

FIVE_DAYS = 5 * 24 * 3600


@pytest.mark.parametrize("ending", ["-batch", "-monitor"])
def test_a_processing_job_may_run_as_long_as_its_execution(stacks: Synthesis, ending: str) -> None:
    machine = machine_of(stacks, ending)
    jobs = [arguments for operation, arguments in calls(machine) if operation == "CreateProcessingJob"]
    assert jobs
    for arguments in jobs:
        seconds = arguments["StoppingCondition"]["MaxRuntimeInSeconds"]
        assert seconds == min(machine["TimeoutSeconds"], FIVE_DAYS)


def rule(stacks: Synthesis) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        each["Properties"]
        for each in stacks.of_type("AWS::Events::Rule").values()
        if each["Properties"].get("EventPattern", {}).get("source") == ["aws.states"]
    ]
    [rule] = found
    return rule


def test_every_machine_that_starts_jobs_has_them_stopped(stacks: Synthesis) -> None:
    detail = rule(stacks)["EventPattern"]["detail"]
    assert sorted(detail["status"]) == ["ABORTED", "FAILED", "TIMED_OUT"]
    start_jobs = {
        name
        for name, machine in stacks.of_type("AWS::StepFunctions::StateMachine").items()
        if any(
            operation.startswith("Create") and operation.endswith("Job")
            for operation, _ in calls(machine_of(stacks, machine["Properties"]["StateMachineName"]))
        )
    }
    assert len(start_jobs) == 2
    assert {arn["Fn::GetAtt"][0] for arn in detail["stateMachineArn"]} == start_jobs


def test_it_stops_this_models_jobs_only(stacks: Synthesis) -> None:
    [(_, document)] = [(n, d) for n, d in of_roles(stacks) if n.startswith("JobStopping")]
    name = f"millrace-{stacks.configuration.environment_name}-tumor"
    stops = {
        statement["Action"]: statement["Resource"].rpartition(":")[2]
        for statement in document["Statement"]
        if isinstance(statement["Action"], str) and statement["Action"].startswith("sagemaker:Stop")
    }
    assert stops == {
        "sagemaker:StopProcessingJob": f"processing-job/{name}-*",
        "sagemaker:StopTransformJob": f"transform-job/{name}-*",
    }
