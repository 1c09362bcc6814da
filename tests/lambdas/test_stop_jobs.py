"""Jobs do not outlive the execution that started them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from adapters.errors import AwsError
from adapters.execution_jobs import ExecutionJobs
from adapters.ports import RunningJob
from lambdas.stop_jobs.logic import stop_jobs

ARN = "arn:aws:states:eu-west-1:123456789012:execution:millrace-dev-tumor-batch:b1"
SPLIT = RunningJob("ProcessingJob", "millrace-dev-tumor-abc-s1")
TRANSFORM = RunningJob("TransformJob", "millrace-dev-tumor-abc-t1")


@dataclass
class MemoryJobs:
    """One execution's jobs, some of them running."""

    left: list[RunningJob] = field(default_factory=list)

    def names(self, execution_arn: str) -> set[str]:
        assert execution_arn == ARN
        return {"millrace-dev-tumor-abc"}

    def running(self, prefix: str) -> Iterator[RunningJob]:
        yield from [job for job in self.left if job.name.startswith(prefix)]

    def stop(self, job: RunningJob) -> None:
        self.left.remove(job)


def test_what_an_execution_left_running_is_stopped_once() -> None:
    jobs = MemoryJobs([SPLIT, TRANSFORM])
    assert stop_jobs(ARN, jobs)["stopped"] == [SPLIT.name, TRANSFORM.name]
    assert jobs.left == []
    assert stop_jobs(ARN, jobs)["stopped"] == []


def entered(state: str, **known: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-11-21T09:00:00Z",
        "type": "PassStateEntered",
        "id": 1,
        "stateEnteredEventDetails": {"name": state, "input": json.dumps(known)},
    }


@pytest.mark.parametrize(
    ("events", "names"),
    [
        ([entered("ReadLive", batch="b1"), entered("Split", job={"name": "n"}), entered("Done", job={"name": "n"})], {"n"}),
        ([entered("ReadLive", batch="b1"), entered("Name", job="none yet")], set()),
        ([], set()),
    ],
)  # fmt: skip
def test_an_executions_states_know_how_its_jobs_are_named(
    events: list[dict[str, Any]], names: set[str]
) -> None:
    states = boto3.client("stepfunctions", region_name="eu-west-1")
    with Stubber(states) as stub:
        stub.add_response("get_execution_history", {"events": events}, {"executionArn": ARN})
        assert ExecutionJobs(states, boto3.client("sagemaker", region_name="eu-west-1")).names(ARN) == names


def test_processing_and_transform_jobs_are_found_by_their_beginning_and_stopped() -> None:
    sagemaker = boto3.client("sagemaker", region_name="eu-west-1")
    moment = "2026-11-21T09:00:00Z"
    found = {"NameContains": "millrace-dev-tumor-abc", "StatusEquals": "InProgress"}
    with Stubber(sagemaker) as stub:
        for kind, job in (("processing", SPLIT), ("transform", TRANSFORM)):
            summary = {
                f"{job.kind}Name": job.name,
                f"{job.kind}Arn": f"arn:aws:sagemaker:eu-west-1:123456789012:{kind}-job/{job.name}",
                f"{job.kind}Status": "InProgress",
                "CreationTime": moment,
            }
            stub.add_response(f"list_{kind}_jobs", {f"{job.kind}Summaries": [summary]}, found)
        stub.add_response("stop_processing_job", {}, {"ProcessingJobName": SPLIT.name})
        stub.add_response("stop_transform_job", {}, {"TransformJobName": TRANSFORM.name})
        jobs = ExecutionJobs(boto3.client("stepfunctions", region_name="eu-west-1"), sagemaker)

        running = list(jobs.running("millrace-dev-tumor-abc"))
        for job in running:
            jobs.stop(job)
        stub.assert_no_pending_responses()

    assert running == [SPLIT, TRANSFORM]


def test_a_refusal_is_for_lambda_to_try_again() -> None:
    sagemaker = boto3.client("sagemaker", region_name="eu-west-1")
    with Stubber(sagemaker) as stub:
        stub.add_client_error("list_processing_jobs", "AccessDeniedException", expected_params={"NameContains": ANY, "StatusEquals": ANY})  # fmt: skip
        jobs = ExecutionJobs(boto3.client("stepfunctions", region_name="eu-west-1"), sagemaker)
        with pytest.raises(AwsError, match="ListProcessingJobs"):
            list(jobs.running("x"))
