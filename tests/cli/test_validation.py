"""What is told of a run's data: each warning in a line, and where the report lies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from botocore.response import StreamingBody
from botocore.stub import Stubber

from cli.aws import reports
from cli.aws.clients import Aws
from cli.aws.runs import Run, Step
from cli.views.validation import findings

JOB = "pipelines-abc-validate-x"
PLACE = "s3://artifacts/runs/1/validate/report"
KEY = {"Bucket": "artifacts", "Key": "runs/1/validate/report/report.json"}
PAGE = "1/validate/report/report.html"
DESCRIBED = {
    "ProcessingJobName": JOB,
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1}
    },
    "AppSpecification": {"ImageUri": "image"},
    "ProcessingJobArn": f"arn:aws:sagemaker:eu-west-1:123456789012:processing-job/{JOB}",
    "ProcessingJobStatus": "Completed",
    "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
    "ProcessingOutputConfig": {
        "Outputs": [{"OutputName": "report", "S3Output": {"S3Uri": PLACE, "S3UploadMode": "Continuous"}}]
    },
}


def problem(check: str, level: str) -> dict[str, str]:
    return {"check": check, "level": level, "sentence": f"What {check} says of [features]."}


def read(body: bytes) -> dict[str, Any]:
    return {"Body": StreamingBody(BytesIO(body), len(body))}


def told(aws: Aws, problems: list[dict[str, str]] | None, folder: Path) -> list[str]:
    run = Run(arn="run", status="Succeeded", steps=(Step(name="validate", job=JOB), Step(name="prepare")))
    with Stubber(aws.sagemaker) as sagemaker, Stubber(aws.s3) as s3:
        sagemaker.add_response("describe_processing_job", DESCRIBED, {"ProcessingJobName": JOB})
        if problems is None:
            s3.add_client_error("get_object", "NoSuchKey", expected_params=KEY)
        else:
            body = json.dumps({"problems": problems}).encode()
            s3.add_response("get_object", read(body), KEY)
            if problems:
                s3.add_response("get_object", read(b"<h1>"), {**KEY, "Key": f"runs/{PAGE}"})
        return list(findings(aws, run, folder))


def test_warnings_are_told_and_what_stopped_the_run_is_not_told_twice(aws: Aws, tmp_path: Path) -> None:
    assert told(aws, [problem("rows", "stop"), problem("bias", "warn")], tmp_path) == [
        "[yellow]! bias[/yellow]: What bias says of \\[features].",
        f"The data's report: {tmp_path / PAGE}",
    ]
    assert (tmp_path / PAGE).read_bytes() == b"<h1>"


def test_nothing_is_said_of_data_that_is_sound_or_was_not_looked_at(aws: Aws, tmp_path: Path) -> None:
    assert told(aws, [], tmp_path) == []
    assert told(aws, None, tmp_path) == []
    assert list(findings(aws, Run(arn="run", status="Failed", steps=()))) == []


def brought(
    aws: Aws, folder: Path, *steps: Step, output: str = "report", page: str | None = None
) -> Path | None:
    """What is brought of a run whose page lies there, or does not."""
    outputs = [{"OutputName": output, "S3Output": {"S3Uri": PLACE, "S3UploadMode": "EndOfJob"}}]
    described = {**DESCRIBED, "ProcessingOutputConfig": {"Outputs": outputs}}
    with Stubber(aws.sagemaker) as sagemaker, Stubber(aws.s3) as s3:
        sagemaker.add_response("describe_processing_job", described, {"ProcessingJobName": JOB})
        if page is None:
            s3.add_client_error("get_object", "NoSuchKey")
        else:
            s3.add_response("get_object", read(page.encode()), {**KEY, "Key": f"runs/{PAGE}"})
        return reports.of_failure(aws, Run(arn="run", status="Failed", steps=steps), folder)


def test_of_a_failed_run_the_page_is_brought_that_says_why(aws: Aws, tmp_path: Path) -> None:
    stopped = Step(name="validate", status="Failed", job=JOB)
    assert brought(aws, tmp_path, stopped, page="data") == tmp_path / PAGE
    assert (tmp_path / PAGE).read_text() == "data"
    assert brought(aws, tmp_path, stopped) is None
    validated = Step(name="validate", status="Succeeded", job="other")
    evaluated, rejected = (
        Step(name="evaluate", status="Succeeded", job=JOB),
        Step(name="reject", status="Failed"),
    )
    found = brought(aws, tmp_path, validated, evaluated, rejected, output="evaluation", page="model")
    assert found is not None
    assert found.read_text() == "model"
    broken = Run(arn="run", status="Failed", steps=(validated, Step(name="train", status="Failed", job="t")))
    assert reports.of_failure(aws, broken) is None
