"""SageMaker jobs of a state machine's execution, as `StartedJobs` of `adapters.ports`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.clients import client, translated
from adapters.ports import RunningJob

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient

PROCESSING, TRANSFORM = "ProcessingJob", "TransformJob"


@dataclass(frozen=True)
class ExecutionJobs:
    """Finds jobs by how the execution's states name them, in `$.job.name`."""

    states: SFNClient = field(default_factory=partial(client, "stepfunctions"), repr=False)
    sagemaker: SageMakerClient = field(default_factory=partial(client, "sagemaker"), repr=False)

    def names(self, execution_arn: str) -> set[str]:
        pages = self.states.get_paginator("get_execution_history")
        with translated("GetExecutionHistory"):
            return {
                name
                for page in pages.paginate(executionArn=execution_arn)
                for event in page["events"]
                if (name := _job_name(dict(event)))
            }

    def running(self, prefix: str) -> Iterator[RunningJob]:
        with translated("ListProcessingJobs"):
            processing = self.sagemaker.list_processing_jobs(NameContains=prefix, StatusEquals="InProgress")
        for each in processing["ProcessingJobSummaries"]:
            yield RunningJob(PROCESSING, each["ProcessingJobName"])
        with translated("ListTransformJobs"):
            transform = self.sagemaker.list_transform_jobs(NameContains=prefix, StatusEquals="InProgress")
        for one in transform["TransformJobSummaries"]:
            yield RunningJob(TRANSFORM, one["TransformJobName"])

    def stop(self, job: RunningJob) -> None:
        with translated(f"Stop{job.kind}"):
            if job.kind == PROCESSING:
                self.sagemaker.stop_processing_job(ProcessingJobName=job.name)
            else:
                self.sagemaker.stop_transform_job(TransformJobName=job.name)


def _job_name(event: Mapping[str, Any]) -> str:
    """How the names of an execution's jobs begin, where it enters a state that knows it."""
    entered = json.loads(event.get("stateEnteredEventDetails", {}).get("input", "null"))
    job = entered.get("job") if isinstance(entered, dict) else None
    return str(job.get("name", "")) if isinstance(job, dict) else ""
