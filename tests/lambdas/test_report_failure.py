"""A failed run is parse_failure in a sentence, counted by its cause, and paged or not."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from adapters.observability import EmbeddedMetrics
from adapters.pipeline_executions import PipelineExecutions
from adapters.ports import FailedStep
from contract.failures import Cause
from contract.names.metrics import Dimension, Metric
from lambdas.report_failure.logic import explain, report_failure
from local.cloud.cloudwatch.embedded_metrics import points
from tests.fixtures.fakes import MemoryBucket, MemoryMetrics

ARN = "arn:aws:sagemaker:eu-central-1:123456789012:pipeline/p/execution/abcdefgh1234"
JOB = "arn:aws:sagemaker:eu-central-1:123456789012:{kind}/pipelines-abcdefgh1234-step-x"
DATA = FailedStep(name="validate", reason="Data: age in a.csv, line 7: 'old' is not a number.")
CODE = FailedStep(name="train", reason="AlgorithmError: Model code: 'mine' fails to fit, exit code: 1")
MISSED = FailedStep(name="reject", reason="roc_auc is 0.6 and must be >= 0.7", verdict=True)
FULL = FailedStep(
    name="train",
    reason="ResourceLimitExceeded: The account-level service limit 'ml.m5.xlarge for training job usage' is 0 Instances.",
)
KILLED = FailedStep(name="train", reason="AlgorithmError: , exit code: 137")


@dataclass
class MemoryExecutions:
    """One execution that failed."""

    steps: Sequence[FailedStep]
    started_with: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    def parameters(self, execution_arn: str) -> Mapping[str, str]:
        return self.started_with

    def reason(self, execution_arn: str) -> str:
        return self.why

    def failed_steps(self, execution_arn: str) -> Sequence[FailedStep]:
        return self.steps


@pytest.mark.parametrize(
    ("steps", "cause", "sentence"),
    [
        ([DATA], Cause.DATA, f"validate: {DATA.reason}"),
        ([CODE], Cause.MODEL_CODE, "train: Model code: 'mine' fails to fit"),
        ([MISSED], Cause.GATE, f"reject: {MISSED.reason}"),
        ([KILLED], Cause.PLATFORM, "train: Platform: AlgorithmError: , exit code: 137"),
        ([DATA, KILLED], Cause.PLATFORM, "train: Platform: AlgorithmError: , exit code: 137"),
        ([], Cause.PLATFORM, "Platform: InternalFailure: oops"),
        (
            [FULL],
            Cause.PLATFORM,
            f"train: Platform: {FULL.reason} ./millrace quotas has the command that asks for more.",
        ),
        ([FailedStep(name="train", reason="")], Cause.PLATFORM, "train: Platform: it ended without a word"),
    ],
)
def test_the_gravest_cause_is_told_with_its_step(
    steps: list[FailedStep], cause: Cause, sentence: str
) -> None:
    assert explain(steps, "InternalFailure: oops") == (cause, sentence)


@pytest.mark.parametrize(
    ("step", "started_by", "paged"),
    [
        (DATA, "upload", 0),
        (DATA, "schedule", 1),
        (KILLED, "person", 1),
        (MISSED, "schedule", 0),
        (CODE, "", 0),
    ],
)
def test_it_is_counted_and_paged_if_it_is_worth_it(
    step: FailedStep, started_by: str, paged: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    metrics = MemoryMetrics()
    executions = MemoryExecutions([step], {"StartedBy": started_by})

    facts = report_failure(ARN, executions, metrics)

    assert metrics.emitted == [{Metric.RUNS_FAILED: 1}, {Metric.RUNS_PAGED: paged}]
    assert metrics.by == [{"Cause": facts["cause"]}, {}]
    assert facts["pages"] is bool(paged)
    (record,) = caplog.records
    assert vars(record)["sentence"] == facts["sentence"]


def described(kind: str, **more: Any) -> dict[str, Any]:
    """As much of a Describe answer as botocore insists on."""
    moment = "2026-11-21T09:00:00Z"
    if kind == "processing":
        cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1}
        return {
            "ProcessingJobName": "j",
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {"ImageUri": "i"},
            "ProcessingJobArn": JOB.format(kind="processing-job"),
            "ProcessingJobStatus": "Failed",
            "CreationTime": moment,
            **more,
        }
    return {
        "TrainingJobName": "j",
        "TrainingJobArn": JOB.format(kind="training-job"),
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/m"},
        "TrainingJobStatus": "Failed",
        "SecondaryStatus": "Failed",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "CreationTime": moment,
        **more,
    }


def step(name: str, metadata: Mapping[str, Any], status: str = "Failed") -> dict[str, Any]:
    return {"StepName": name, "StepStatus": status, "FailureReason": "see the job", "Metadata": metadata}


def failed_steps(
    steps: list[dict[str, Any]], bucket: MemoryBucket | None = None, **answers: Any
) -> list[FailedStep]:
    sagemaker = boto3.client("sagemaker", region_name="eu-central-1")
    with Stubber(sagemaker) as stub:
        asked = {"PipelineExecutionArn": ARN, "SortOrder": "Ascending"}
        stub.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": steps}, asked)
        for operation, answer in answers.items():
            stub.add_response(operation, answer)
        executions = PipelineExecutions(sagemaker, bucket=lambda _name: bucket or MemoryBucket())
        found = executions.failed_steps(ARN)
        stub.assert_no_pending_responses()
    return found


def test_a_processing_job_speaks_through_its_exit_message() -> None:
    done = step("prepare", {}, "Succeeded")
    failed = step("validate", {"ProcessingJob": {"Arn": JOB.format(kind="processing-job")}})
    answer = described("processing", ExitMessage=DATA.reason, FailureReason="AlgorithmError: see the log")
    assert failed_steps([done, failed], describe_processing_job=answer) == [DATA]


def test_a_training_job_speaks_through_its_failure_reason() -> None:
    failed = step("train", {"TrainingJob": {"Arn": JOB.format(kind="training-job")}})
    answer = described("training", FailureReason=CODE.reason)
    assert failed_steps([failed], describe_training_job=answer) == [CODE]


def test_of_a_tuning_job_a_trial_speaks() -> None:
    failed = step("tune", {"TuningJob": {"Arn": JOB.format(kind="hyper-parameter-tuning-job")}})
    trial = {
        "TrainingJobName": "t",
        "TrainingJobArn": JOB.format(kind="training-job"),
        "CreationTime": "2026-11-21T09:00:00Z",
        "TrainingJobStatus": "Failed",
        "TunedHyperParameters": {},
        "FailureReason": CODE.reason,
    }
    answer = {"TrainingJobSummaries": [trial]}
    (found,) = failed_steps([failed], list_training_jobs_for_hyper_parameter_tuning_job=answer)
    assert found.reason == CODE.reason


def test_a_step_without_a_job_speaks_for_itself() -> None:
    refused = step("register", {"RegisterModel": {"Arn": "a"}})
    rejected = step("reject", {"Fail": {"ErrorMessage": MISSED.reason}})
    assert failed_steps([refused, rejected]) == [FailedStep(name="register", reason="see the job"), MISSED]


@pytest.mark.parametrize(
    ("evaluation", "reason"),
    [
        ('{"missed": "roc_auc is 0.6"}', "The model was not registered: roc_auc is 0.6"),
        (None, "its evaluation has more"),
    ],
)
def test_a_missed_gate_is_told_as_the_evaluation_has_it(evaluation: str | None, reason: str) -> None:
    evaluated = step("evaluate", {"ProcessingJob": {"Arn": JOB.format(kind="processing-job")}}, "Succeeded")
    rejected = step("reject", {"Fail": {"ErrorMessage": "its evaluation has more"}})
    output = {
        "S3Uri": "s3://artifacts/runs/1/evaluate/evaluation",
        "LocalPath": "/",
        "S3UploadMode": "EndOfJob",
    }
    outputs = {"Outputs": [{"OutputName": "evaluation", "S3Output": output}]}
    bucket = MemoryBucket()
    if evaluation:
        bucket.put("runs/1/evaluate/evaluation/evaluation.json", evaluation.encode())

    answer = described("processing", ProcessingOutputConfig=outputs)
    found = failed_steps([evaluated, rejected], bucket, describe_processing_job=answer)

    assert found == [FailedStep(name="reject", reason=reason, verdict=True)]


def test_what_an_execution_was_started_with_and_why_it_failed() -> None:
    sagemaker = boto3.client("sagemaker", region_name="eu-central-1")
    with Stubber(sagemaker) as stub:
        parameters = [{"Name": "StartedBy", "Value": "schedule"}]
        stub.add_response("list_pipeline_parameters_for_execution", {"PipelineParameters": parameters})
        stub.add_response("describe_pipeline_execution", {"FailureReason": "InternalFailure: oops"})
        executions = PipelineExecutions(sagemaker)
        assert executions.parameters(ARN) == {"StartedBy": "schedule"}
        assert executions.reason(ARN) == "InternalFailure: oops"


def test_a_count_is_kept_with_and_without_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    EmbeddedMetrics("prod", "sign").emit({Metric.RUNS_FAILED: 1}, by={Dimension.CAUSE: "Data"})
    (line,) = capsys.readouterr().out.splitlines()
    found = [point.dimensions for point in points(line, 0)]
    both = {"Environment": "prod", "Model": "sign"}
    assert found == [both, {**both, "Cause": "Data"}]
