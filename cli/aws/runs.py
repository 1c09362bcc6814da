"""One execution of the training pipeline: its steps, how they went, why one failed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cli.aws.clients import Aws
from cli.aws.job_outputs import output_uri, read_document
from cli.aws.waiting import wait_until
from cli.kit.errors import error_code
from contract.failures import NOT_REGISTERED, parse_failure, with_remedy
from contract.names.jobs import EVALUATION_FILE, Folder, Job

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import PipelineExecutionStepTypeDef

PENDING = "Pending"
ENDED = frozenset({"Succeeded", "Failed", "Stopped"})
RUN_TIMEOUT_SECONDS = 6 * 3600.0
APPEARANCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. `seconds` is None before it began; `reason` says why it failed."""

    name: str
    status: str = PENDING
    seconds: float | None = None
    reason: str = ""
    job: str = ""
    """Name of the processing, training or tuning job it started, in lower case as ARNs have it."""
    job_kind: str = ""
    """Its kind, as the step's metadata spells it: `ProcessingJob`, `TrainingJob` or `TuningJob`."""
    package_arn: str = ""
    """The model package it registered."""
    reused: bool = False
    """True if it was taken from an earlier run, in which it did the same."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """An execution as it stands: its status and its steps in order, those to come included."""

    arn: str
    status: str
    steps: tuple[Step, ...]
    reason: str = ""

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def package_arn(self) -> str:
        """The model package it registered, or nothing."""
        return next((step.package_arn for step in self.steps if step.package_arn), "")

    @property
    def failures(self) -> list[str]:
        """A sentence for each step that failed, or why the execution did."""
        failed = [
            with_remedy(f"{step.name}: {step.reason or step.status}")
            for step in self.steps
            if step.status == "Failed"
        ]
        return failed or ([self.reason] if self.reason else [])


def read_run(aws: Aws, execution_arn: str) -> Run:
    """An execution as it stands now."""
    described = aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
    pages = aws.sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=execution_arn, SortOrder="Ascending"
    )
    listed = [step for page in pages for step in page["PipelineExecutionSteps"]]
    begun = {step["StepName"]: _step(aws, step, listed) for step in listed}
    status = described["PipelineExecutionStatus"]
    # What did not begin while the execution went on is still to come, but for the way not taken.
    coming = [] if status in ENDED else _names(aws, execution_arn)
    pending = [Step(name=name) for name in coming if name not in begun]
    return Run(
        arn=execution_arn,
        status=status,
        steps=(*begun.values(), *pending),
        reason=described.get("FailureReason", ""),
    )


def is_described(aws: Aws, execution_arn: str) -> bool:
    """Return whether SageMaker tells of an execution already: of one just started it may take seconds."""
    try:
        aws.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
    except ClientError as error:
        if error_code(error) != "ResourceNotFound":
            raise
        return False
    return True


def watch(aws: Aws, execution_arn: str, on_change: Callable[[Run], None]) -> Run:
    """Read an execution until it ended, and hand over each state of it.

    Raises:
        CliError: it did not end in time.
    """
    wait_until(
        lambda: is_described(aws, execution_arn), timeout=APPEARANCE_SECONDS, what="the run to be described"
    )
    last: list[Run] = []

    def ended() -> Run | None:
        last[:] = [read_run(aws, execution_arn)]
        on_change(last[0])
        return last[0] if last[0].ended else None

    def seen() -> str:
        return ", ".join(f"{step.name} {step.status}" for step in last[0].steps)

    return wait_until(ended, timeout=RUN_TIMEOUT_SECONDS, what="the training run to end", seen=seen)


def _names(aws: Aws, execution_arn: str) -> list[str]:
    body = aws.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution_arn)
    return step_names(json.loads(body["PipelineDefinition"]))


def step_names(definition: dict[str, Any]) -> list[str]:
    """Names of a definition's steps in its order, following each condition's good outcome."""
    names: list[str] = []
    for step in definition["Steps"]:
        names.append(step["Name"])
        names += (
            [inner["Name"] for inner in step["Arguments"].get("IfSteps", [])] if "Arguments" in step else []
        )
    return names


def _step(
    aws: Aws, step: PipelineExecutionStepTypeDef, listed: Sequence[PipelineExecutionStepTypeDef]
) -> Step:
    metadata: dict[str, Any] = dict(step.get("Metadata", {}))
    kind = next((kind for kind in _JOBS if kind in metadata), "")
    job = metadata[kind]["Arn"].rpartition("/")[2] if kind else ""
    status = step["StepStatus"]
    reason = step.get("FailureReason", "")
    if "Fail" in metadata:
        reason = _verdict(aws, listed) or metadata["Fail"].get("ErrorMessage") or reason
    return Step(
        name=step["StepName"],
        status=status,
        seconds=_seconds(step.get("StartTime"), step.get("EndTime")),
        reason=_sentence(_job_failure(aws, job, metadata) or reason) if status == "Failed" else "",
        job=job,
        job_kind=kind,
        reused="CacheHitResult" in step,
        package_arn=metadata.get("RegisterModel", {}).get("Arn", ""),
    )


_JOBS = ("ProcessingJob", "TrainingJob", "TuningJob")


def job_name(aws: Aws, step: Step) -> str:
    """The name of a step's job as its log streams spell it: ARNs are in lower case, they are not."""
    match step.job_kind:
        case "ProcessingJob":
            return aws.sagemaker.describe_processing_job(ProcessingJobName=step.job)["ProcessingJobName"]
        case "TrainingJob":
            return aws.sagemaker.describe_training_job(TrainingJobName=step.job)["TrainingJobName"]
        case _:
            return aws.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=step.job)[
                "HyperParameterTuningJobName"
            ]


def _verdict(aws: Aws, listed: Sequence[PipelineExecutionStepTypeDef]) -> str:
    """The gates that the model missed, as its evaluation has them; nothing where that is gone."""
    for step in listed:
        metadata: dict[str, Any] = dict(step.get("Metadata", {}))
        job_arn = metadata.get("ProcessingJob", {}).get("Arn", "")
        if step["StepName"] == Job.EVALUATE and job_arn:
            folder = output_uri(aws, job_arn.rpartition("/")[2], Folder.EVALUATION)
            try:
                evaluation = read_document(aws, f"{folder}/{EVALUATION_FILE}")
            except ClientError as error:
                if error_code(error) not in ("NoSuchKey", "NoSuchBucket"):
                    raise
                return ""
            return f"{NOT_REGISTERED} {evaluation['missed']}"
    return ""


def _sentence(reason: str) -> str:
    """The job's own sentence, without what SageMaker put around it."""
    parsed = parse_failure(reason)
    return parsed[1] if parsed else reason


def _job_failure(aws: Aws, job: str, metadata: dict[str, Any]) -> str:
    """The job's own reason; the step only says that it failed."""
    if "ProcessingJob" in metadata:
        return aws.sagemaker.describe_processing_job(ProcessingJobName=job).get("ExitMessage", "")
    if "TrainingJob" in metadata:
        return aws.sagemaker.describe_training_job(TrainingJobName=job).get("FailureReason", "")
    if "TuningJob" in metadata:
        # The tuning job itself says only that trials failed.
        failed = aws.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=job, StatusEquals="Failed", MaxResults=1
        )["TrainingJobSummaries"]
        return failed[0].get("FailureReason", "") if failed else ""
    return ""


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    if start is None:
        return None
    return ((end or datetime.now(start.tzinfo)) - start).total_seconds()
