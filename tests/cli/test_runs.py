"""A run is shown with what came, what is to come, and why it failed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from botocore.response import StreamingBody
from botocore.stub import Stubber
from rich.console import Console

from cli.aws.clients import Aws
from cli.aws.job_outputs import output_uri, read_document
from cli.aws.runs import Run, Step, read_run, step_names
from cli.views.evaluation import evaluation_text
from cli.views.progress import StepsDisplay

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/abcdefgh1234"
JOB_ARN = "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/pipelines-abc-validate-x"
BEGUN = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
PROCESSED = {
    "ProcessingJobName": "pipelines-abc-validate-x",
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1}
    },
    "AppSpecification": {"ImageUri": "image"},
    "ProcessingJobArn": JOB_ARN,
    "ProcessingJobStatus": "Failed",
    "CreationTime": BEGUN,
}
"""As much of DescribeProcessingJob's response as botocore insists on."""
DEFINITION = {
    "Steps": [
        {"Name": "validate", "Arguments": {}},
        {"Name": "gate", "Arguments": {"IfSteps": [{"Name": "register"}], "ElseSteps": [{"Name": "reject"}]}},
    ]
}


def step(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {"StepName": name, "StepStatus": status, "StartTime": BEGUN, **more}


def reading(aws: Aws, status: str, steps: list[dict[str, Any]], **jobs: dict[str, Any]) -> Run:
    with Stubber(aws.sagemaker) as sagemaker:
        sagemaker.add_response("describe_pipeline_execution", {"PipelineExecutionStatus": status})
        sagemaker.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": steps})
        for operation, answer in jobs.items():
            sagemaker.add_response(operation, answer)
        if status == "Executing":
            sagemaker.add_response(
                "describe_pipeline_definition_for_execution", {"PipelineDefinition": json.dumps(DEFINITION)}
            )
        run = read_run(aws, ARN)
        sagemaker.assert_no_pending_responses()
    return run


def test_steps_to_come_follow_the_good_outcome() -> None:
    assert step_names(DEFINITION) == ["validate", "gate", "register"]


def test_a_run_under_way(aws: Aws) -> None:
    run = reading(aws, "Executing", [step("validate", "Succeeded", EndTime=BEGUN + timedelta(seconds=4))])

    assert [(s.name, s.status, s.seconds) for s in run.steps] == [
        ("validate", "Succeeded", 4.0),
        ("gate", "Pending", None),
        ("register", "Pending", None),
    ]
    assert not run.ended


def test_a_failed_job_is_explained_in_its_own_words(aws: Aws) -> None:
    failed = step(
        "validate",
        "Failed",
        FailureReason="ClientError: see logs",
        Metadata={"ProcessingJob": {"Arn": JOB_ARN}},
    )
    described = {**PROCESSED, "ExitMessage": "Data: age in a.csv, line 7: 'old' is not a number."}

    run = reading(aws, "Failed", [failed], describe_processing_job=described)

    assert run.failures == ["validate: Data: age in a.csv, line 7: 'old' is not a number."]


def test_a_missed_gate_is_told_by_the_step_that_rejects(aws: Aws) -> None:
    run = rejected_run(aws, {"missed": "roc_auc is 0.6 and must be >= 0.7"})

    assert run.failures == ["reject: The model was not registered: roc_auc is 0.6 and must be >= 0.7"]


def test_without_its_evaluation_the_step_that_rejects_speaks_for_itself(aws: Aws) -> None:
    assert rejected_run(aws, None).failures == ["reject: its evaluation has more"]


def rejected_run(aws: Aws, evaluation: dict[str, Any] | None) -> Run:
    """A run whose model was rejected, and the evaluation that its job wrote, if it is still there."""
    evaluate = step("evaluate", "Succeeded", Metadata={"ProcessingJob": {"Arn": JOB_ARN}})
    rejected = step("reject", "Failed", Metadata={"Fail": {"ErrorMessage": "its evaluation has more"}})
    output = {"S3Uri": "s3://runs/1/evaluate/evaluation", "LocalPath": "/", "S3UploadMode": "EndOfJob"}
    described = {
        **PROCESSED,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evaluation", "S3Output": output}]},
    }
    aws.s3.create_bucket(Bucket="runs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    if evaluation is not None:
        key = "1/evaluate/evaluation/evaluation.json"
        aws.s3.put_object(Bucket="runs", Key=key, Body=json.dumps(evaluation).encode())
    return reading(aws, "Failed", [evaluate, rejected], describe_processing_job=described)


def test_the_registered_package(aws: Aws) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/millrace-dev-tumor/7"

    run = reading(aws, "Succeeded", [step("register", "Succeeded", Metadata={"RegisterModel": {"Arn": arn}})])

    assert run.package_arn == arn
    assert run.failures == []


def test_without_a_terminal_each_step_is_a_line_when_it_ended() -> None:
    console = Console(width=80, force_terminal=False)
    states = ("Executing", "Succeeded", "Succeeded")
    with console.capture() as captured, StepsDisplay(console) as display:
        for status in states:
            steps = (Step(name="validate", status=status, seconds=1.25), Step(name="gate"))
            display.show(Run(arn=ARN, status="Executing", steps=steps))

    assert captured.get().split() == ["✓", "validate", "1.2", "s"]


def test_on_a_terminal_the_steps_to_come_are_seen_as_well() -> None:
    console = Console(width=80, force_terminal=True, color_system=None)
    with console.capture() as captured, StepsDisplay(console) as display:
        steps = (Step(name="validate", status="Failed", seconds=2.0), Step(name="gate"))
        display.show(Run(arn=ARN, status="Failed", steps=steps))

    assert "✗  validate  2.0 s" in captured.get()
    assert "·  gate" in captured.get()


def gate(name: str, condition: str, value: float | None, *, passed: bool = True) -> dict[str, Any]:
    says = f"{name}: there is [nothing] to compare with"
    return {"name": name, "condition": condition, "value": value, "passed": passed, "says": says}


EVALUATION: dict[str, Any] = {
    "metrics": {
        "roc_auc": {"value": 0.987654, "low": 0.95, "high": 1.0},
        "recall": {"value": 0.5, "low": None, "high": None},
        "brier": {"value": 0.02, "low": 0.01, "high": 0.03},
    },
    "fairness": {"age.at": {"disparities": {"mae_difference": {"value": 0.25, "low": 0.125, "high": 0.5}}}},
    "champion": {"metrics": {"roc_auc": {"difference": 0.01, "low": -0.02, "high": 0.04}}},
    "gates": [
        gate("roc_auc", ">= 0.95", 0.987654),
        gate("recall", ">= 0.85", 0.5, passed=False),
        gate("champion.roc_auc", "not worse", 0.01),
        gate("fairness.age.at.mae_difference", "<= 0.1", 0.25, passed=False),
        gate("slices.worst", ">= 0.5", 0.75),
    ],
}


def shown(evaluation: dict[str, Any], width: int = 100) -> list[str]:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(evaluation_text(evaluation))
    return captured.get().splitlines()


def test_metrics_with_their_intervals_and_every_gate() -> None:
    _, roc_auc, recall, brier, *others = shown(EVALUATION)
    assert roc_auc.split() == ["roc_auc", "0.9877", "0.95", "1", "✓", ">=", "0.95"]
    assert recall.split() == ["recall", "0.5", "✗", ">=", "0.85"]
    assert brier.split() == ["brier", "0.02", "0.01", "0.03"]
    assert [line.strip() for line in others] == [
        "champion.roc_auc 0.01 (-0.02 to 0.04) ✓ not worse",
        "fairness.age.at.mae_difference 0.25 (0.125 to 0.5) ✗ <= 0.1",
        "slices.worst 0.75 ✓ >= 0.5",
    ]


def test_a_gate_that_found_nothing_to_measure_says_why() -> None:
    unmeasured = {**EVALUATION, "champion": None, "gates": [gate("champion.roc_auc", "not worse", None)]}
    assert shown(unmeasured)[-1].strip() == "champion.roc_auc ✓ not worse: there is [nothing] to compare with"


def test_no_figure_is_cut_on_a_narrow_terminal() -> None:
    assert not any("…" in line for line in shown(EVALUATION, width=60))


def test_a_step_of_an_earlier_run_says_so(aws: Aws) -> None:
    reused = step(
        "validate",
        "Succeeded",
        EndTime=BEGUN,
        CacheHitResult={"SourcePipelineExecutionArn": ARN},
        Metadata={"ProcessingJob": {"Arn": JOB_ARN}},
    )
    run = reading(aws, "Succeeded", [reused])
    console = Console(width=80)
    with console.capture() as said:
        StepsDisplay(console).show(run)
    assert "validate  from an earlier run" in said.get()


def test_the_evaluation_is_read_where_its_job_wrote_it(aws: Aws) -> None:
    place = {"S3Uri": "s3://artifacts/runs/1/evaluate/evaluation", "S3UploadMode": "EndOfJob"}
    described = {
        "ProcessingJobName": "evaluate-1",
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1}
        },
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingJobArn": JOB_ARN,
        "ProcessingJobStatus": "Completed",
        "CreationTime": BEGUN,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evaluation", "S3Output": place}]},
    }
    body = b'{"passed": true}'
    with Stubber(aws.sagemaker) as sagemaker, Stubber(aws.s3) as s3:
        sagemaker.add_response("describe_processing_job", described, {"ProcessingJobName": "evaluate-1"})
        s3.add_response(
            "get_object",
            {"Body": StreamingBody(BytesIO(body), len(body))},
            {"Bucket": "artifacts", "Key": "runs/1/evaluate/evaluation/evaluation.json"},
        )
        assert read_document(aws, f"{output_uri(aws, 'evaluate-1', 'evaluation')}/evaluation.json") == {
            "passed": True
        }
