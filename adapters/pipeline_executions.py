"""Executions of SageMaker pipelines, as `Executions` of `adapters.ports`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters.buckets import S3Bucket
from adapters.clients import client, translated
from adapters.errors import NotFound
from adapters.ports import Bucket, FailedStep
from contract.failures import NOT_REGISTERED
from contract.names.jobs import EVALUATION_FILE, Folder, Job

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_ENDED_BADLY = ("Failed", "Stopped")


@dataclass(frozen=True)
class PipelineExecutions:
    """Reads the outcome of an execution and of its jobs."""

    client: SageMakerClient = field(default_factory=partial(client, "sagemaker"), repr=False)
    bucket: Callable[[str], Bucket] = S3Bucket

    def parameters(self, execution_arn: str) -> Mapping[str, str]:
        pages = self.client.get_paginator("list_pipeline_parameters_for_execution")
        with translated("ListPipelineParametersForExecution"):
            return {
                parameter["Name"]: parameter["Value"]
                for page in pages.paginate(PipelineExecutionArn=execution_arn)
                for parameter in page["PipelineParameters"]
            }

    def reason(self, execution_arn: str) -> str:
        with translated("DescribePipelineExecution"):
            execution = self.client.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
        return execution.get("FailureReason", "")

    def failed_steps(self, execution_arn: str) -> list[FailedStep]:
        pages = self.client.get_paginator("list_pipeline_execution_steps")
        with translated("ListPipelineExecutionSteps"):
            listed = pages.paginate(PipelineExecutionArn=execution_arn, SortOrder="Ascending")
            steps = [step for page in listed for step in page["PipelineExecutionSteps"]]
        return [self._failed(step, steps) for step in steps if step["StepStatus"] in _ENDED_BADLY]

    def _failed(self, step: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> FailedStep:
        metadata = step.get("Metadata", {})
        reason = step.get("FailureReason", "")
        if "Fail" in metadata:
            verdict = self._verdict(steps) or metadata["Fail"].get("ErrorMessage", reason)
            return FailedStep(name=step["StepName"], reason=verdict, verdict=True)
        return FailedStep(name=step["StepName"], reason=self._job(metadata) or reason)

    def _verdict(self, steps: Sequence[Mapping[str, Any]]) -> str:
        """The gates that the model missed, as its evaluation has them; nothing where there is none."""
        evaluated = [step for step in steps if step["StepName"] == Job.EVALUATE]
        job = _job_arn(evaluated[0], "ProcessingJob") if evaluated else ""
        if not job:
            return ""
        with translated("DescribeProcessingJob"):
            described = self.client.describe_processing_job(ProcessingJobName=job.rpartition("/")[2])
        folders = {
            output["OutputName"]: urlsplit(output["S3Output"]["S3Uri"])
            for output in described.get("ProcessingOutputConfig", {}).get("Outputs", ())
        }
        folder = folders[Folder.EVALUATION]
        try:
            document = self.bucket(folder.netloc).read(f"{folder.path.strip('/')}/{EVALUATION_FILE}")
        except NotFound:
            return ""
        return f"{NOT_REGISTERED} {json.loads(document)['missed']}"

    def _job(self, metadata: Mapping[str, Any]) -> str:
        """Return a job's own failure message; the step itself may only say that it failed."""
        kind = next((kind for kind in metadata if kind in ("ProcessingJob", "TrainingJob", "TuningJob")), "")
        name = metadata[kind]["Arn"].rpartition("/")[2] if kind else ""
        if kind == "ProcessingJob":
            with translated("DescribeProcessingJob"):
                processing = self.client.describe_processing_job(ProcessingJobName=name)
            return processing.get("ExitMessage") or processing.get("FailureReason", "")
        if kind == "TrainingJob":
            with translated("DescribeTrainingJob"):
                return self.client.describe_training_job(TrainingJobName=name).get("FailureReason", "")
        if kind == "TuningJob":
            return self._trial(name)
        return ""

    def _trial(self, tuning_job: str) -> str:
        """Return a failed trial's reason: the tuning job says only that too many failed."""
        with translated("ListTrainingJobsForHyperParameterTuningJob"):
            failed = self.client.list_training_jobs_for_hyper_parameter_tuning_job(
                HyperParameterTuningJobName=tuning_job, StatusEquals="Failed", MaxResults=1
            )["TrainingJobSummaries"]
        return failed[0].get("FailureReason", "") if failed else ""


def _job_arn(step: Mapping[str, Any], kind: str) -> str:
    return str(step.get("Metadata", {}).get(kind, {}).get("Arn", ""))
