"""`deploy` and the CDK CLI as a child."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.stub import Stubber

from cli.aws.cdk import Cdk, child_variables, progress
from cli.aws.clients import Aws
from cli.commands.deploy import BOOTSTRAP_STACK, left_behind, parse_context, prepare
from cli.kit.errors import CliError
from cli.kit.settings import default_model
from tests.cli.conftest import Run

TEMPLATE = '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}'


def test_context_is_split_at_the_first_equals_sign() -> None:
    assert parse_context(["model=income", "image_uri=a=b"]) == {"model": "income", "image_uri": "a=b"}


def test_an_account_is_not_bootstrapped_unasked(aws: Aws) -> None:
    with pytest.raises(CliError, match=r"111122223333 is not bootstrapped .* in eu-west-1: .* --bootstrap"):
        prepare(aws, 0, asked=False)


def test_an_account_is_bootstrapped_once(aws: Aws) -> None:
    aws.cloudformation.create_stack(StackName=BOOTSTRAP_STACK, TemplateBody=TEMPLATE)

    assert prepare(aws, 0, asked=False) is False


GROUP = "millrace-dev-tumor"
STACK = "millrace-dev-tumor-storage"


def test_a_package_group_that_its_stack_left_behind_is_taken_over(aws: Aws) -> None:
    assert left_behind(aws, "tumor") == {}, "there is none yet"

    aws.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    assert left_behind(aws, "tumor") == {"package_group": "existing"}, "there is no stack"

    aws.cloudformation.create_stack(StackName=STACK, TemplateBody=TEMPLATE)
    assert left_behind(aws, "tumor") == {"package_group": "existing"}, "the stack took it over before"


@pytest.mark.parametrize(
    ("status", "context"),
    [("CREATE_COMPLETE", {}), ("DELETE_SKIPPED", {"package_group": "existing"})],
)
def test_a_package_group_of_the_stack_stays_in_it(aws: Aws, status: str, context: dict[str, str]) -> None:
    aws.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    resource = {
        "LogicalResourceId": "PackageGroup",
        "ResourceType": "AWS::SageMaker::ModelPackageGroup",
        "ResourceStatus": status,
        "Timestamp": datetime(2026, 11, 21, tzinfo=UTC),
    }
    with Stubber(aws.cloudformation) as cloudformation:
        cloudformation.add_response("describe_stack_resources", {"StackResources": [resource]})
        assert left_behind(aws, "tumor") == context


def test_a_mistake_in_a_model_is_told_before_anything_is_started(run: Run) -> None:
    result = run("deploy", "--model", "tumour")

    assert result.exit_code == 1
    assert result.stderr.startswith(
        'error: there is no model "tumour" (did you mean "tumor"?); found in models/:'
    )


def test_a_model_that_the_environment_names_is_deployed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_MODEL", "tumour")

    assert 'there is no model "tumour"' in run("deploy").stderr
    assert 'there is no model "tumoer"' in run("deploy", "-c", "model=tumoer").stderr


def test_progress_is_read_from_what_the_cdk_cli_says() -> None:
    event = "millrace-local-tumor-loop |  3/41 | 9:39:30 AM | CREATE_COMPLETE      | AWS::SQS::Queue | Inbox (Inbox3037)"

    assert progress(event) == "millrace-local-tumor-loop  3/41  AWS::SQS::Queue"
    assert (
        progress("millrace-local-tumor-loop: deploying... [2/2]\n")
        == "millrace-local-tumor-loop: deploying... [2/2]"
    )
    assert progress("Stack ARN:") == ""


def test_a_failure_ends_with_what_the_cdk_cli_said_last(tmp_path: Path) -> None:
    cdk = Cdk(child_variables("dev", 0), tmp_path / "logs" / "cdk.log")

    with pytest.raises(CliError, match=r"(?s)cdk deploy failed\. The whole output: .*cdk\.log.*no-such-app"):
        cdk.run("deploy", "--app", "no-such-app", "--all", on_progress=lambda _: None)
    assert "no-such-app" in cdk.log.read_text()


@pytest.mark.parametrize(("names", "chosen"), [(["income"], "income"), (["income", "tumor"], "tumor")])
def test_the_model_to_deploy_where_none_is_named(tmp_path: Path, names: list[str], chosen: str) -> None:
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.toml").touch()

    assert default_model(tmp_path) == chosen


def test_of_several_models_that_are_not_the_usual_one_is_named(tmp_path: Path) -> None:
    for name in ("income", "wine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.toml").touch()

    with pytest.raises(CliError, match=r"name a model with --model; .* holds income, wine"):
        default_model(tmp_path)
