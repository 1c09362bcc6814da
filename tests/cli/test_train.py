"""`train`: what is uploaded, how a run is started, when its model is live."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from cli.aws.clients import Aws
from cli.aws.releases import wait_until_live
from cli.aws.runs import Run, Step
from cli.aws.session import Deployment
from cli.aws.uploads import upload_training
from cli.commands.train import Started, follow, start, why_none
from cli.kit.errors import CliError
from contract.layout import live_parameter
from tests.cli.conftest import deploy

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:release"
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/millrace-dev-tumor"
ROLE = "arn:aws:iam::123456789012:role/release"
STARTED = {"dataset_version": "d", "run_id": "r", "execution_arn": "e", "already_started": False}


@pytest.fixture
def deployed(aws: Aws) -> Deployment:
    return deploy(
        aws, "tumor", {}, {"StartTrainingFunction": "start-training", "ReleaseStateMachineArn": MACHINE}
    )


def versions(deployed: Deployment) -> int:
    return len(deployed.aws.s3.list_object_versions(Bucket=deployed["DataBucket"]).get("Versions", []))


def test_a_table_is_uploaded_under_its_name_and_once(deployed: Deployment, tmp_path: Path) -> None:
    bucket = deployed["DataBucket"]
    deployed.aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    table = tmp_path / "a table.CSV"
    table.write_text("x,y\n1,2\n")

    assert upload_training(deployed, table)
    assert not upload_training(deployed, table)
    assert versions(deployed) == 1
    table.write_text("x,y\n1,3\n")
    assert upload_training(deployed, table)
    assert versions(deployed) == 2
    body = deployed.aws.s3.get_object(Bucket=bucket, Key="training/a table.CSV")["Body"].read()
    assert body == b"x,y\n1,3\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [("table.xlsx", "a table's ends in .csv"), ("gone.csv", "No such"), ("empty.csv", "is empty")],
)
def test_what_cannot_be_uploaded(deployed: Deployment, tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "empty.csv").touch()
    with pytest.raises(CliError, match=told):
        upload_training(deployed, tmp_path / name)


def starting(deployed: Deployment, payload: dict[str, Any], **answer: Any) -> Started:
    with Stubber(deployed.aws.functions) as functions:
        functions.add_response(
            "invoke",
            {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(payload).encode()), **answer},
            {"FunctionName": "start-training", "Payload": b'{"again": true}'},
        )
        return start(deployed, again=True)


def test_a_run_is_started_by_the_function(deployed: Deployment) -> None:
    assert starting(deployed, STARTED) == Started(
        dataset_version="d", run_id="r", execution_arn="e", already_started=False
    )


def test_a_function_that_fails_is_quoted(deployed: Deployment) -> None:
    with pytest.raises(CliError, match=r"no run was started: no \.csv lies .* ./millrace logs train"):
        starting(deployed, {"errorMessage": "no .csv lies under training/"}, FunctionError="Unhandled")


def test_who_stops_watching_is_told_that_the_run_goes_on(
    deployed: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    events = deployed.aws.sagemaker.meta.events
    events.register("before-call.sagemaker.DescribePipelineExecution", interrupted)

    with pytest.raises(KeyboardInterrupt):
        follow(deployed, "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/abcdefgh1234")
    told = "The run is still in progress: see ./millrace status --environment dev --model tumor."
    assert capsys.readouterr().err.strip() == told


def test_of_bad_data_it_is_told_how_to_be_rid_of_it(deployed: Deployment) -> None:
    def told(reason: str) -> list[str]:
        step = Step(name="validate", status="Failed", reason=reason)
        return list(why_none(deployed, Run(arn="run", status="Failed", steps=(step,))))

    assert told("Data: schema: adult.csv: no column 'x'.") == [
        "the run ended without a model.",
        "validate: Data: schema: adult.csv: no column 'x'.",
        "Upload the corrected file under the same name, or take one out of the data:",
        f"  aws s3 rm s3://{deployed['DataBucket']}/training/<file>",
        "The jobs' logs: ./millrace logs jobs --environment dev --model tumor",
    ]
    assert len(told("Platform: no capacity")) == 3


def record_live(deployed: Deployment, version: int) -> None:
    live = {
        "model_version": f"millrace-dev-tumor/{version}",
        "model_package_arn": f"{PACKAGE}/{version}",
        "endpoint": "e",
        "endpoint_config": "c",
        "model": "m",
        "released_at": "2026-11-21T09:30:00Z",
    }
    deployed.aws.ssm.put_parameter(
        Name=live_parameter("dev", "tumor"), Value=json.dumps(live), Type="String", Overwrite=True
    )


def releases(deployed: Deployment, *answers: dict[str, Any]) -> Stubber:
    stubber = Stubber(deployed.aws.stepfunctions)
    execution = {"executionArn": MACHINE + ":1", "stateMachineArn": MACHINE, "startDate": 0}
    listed = {**execution, "name": "1", "status": answers[0]["status"]}
    stubber.add_response("list_executions", {"executions": [listed] * len(answers)})
    for answer in answers:
        stubber.add_response("describe_execution", {**execution, **answer})
    return stubber


def test_a_version_that_is_live(deployed: Deployment) -> None:
    record_live(deployed, 3)

    assert wait_until_live(deployed, f"{PACKAGE}/3").model_version == "millrace-dev-tumor/3"


def test_a_version_that_was_overtaken(deployed: Deployment) -> None:
    record_live(deployed, 4)

    with releases(
        deployed, {"status": "SUCCEEDED", "input": json.dumps({"ModelPackageArn": f"{PACKAGE}/3"})}
    ):
        assert wait_until_live(deployed, f"{PACKAGE}/3").model_version == "millrace-dev-tumor/4"


def test_a_release_that_failed_says_why_and_that_the_old_one_serves(deployed: Deployment) -> None:
    record_live(deployed, 2)
    other = {"status": "SUCCEEDED", "input": json.dumps({"ModelPackageArn": f"{PACKAGE}/31"})}
    ours = {
        "status": "FAILED",
        "cause": "model.onnx was altered",
        "input": json.dumps({"ModelPackageArn": f"{PACKAGE}/3"}),
    }

    with (
        releases(deployed, other, ours),
        pytest.raises(
            CliError, match=r"failed \(FAILED\): model\.onnx was altered\. What was live is still live"
        ),
    ):
        wait_until_live(deployed, f"{PACKAGE}/3")
