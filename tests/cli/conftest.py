"""A deployed model in a mocked account, and the command line with its output."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from cli.aws.clients import Aws
from cli.aws.session import Deployment, deployment, stack_name
from cli.kit import samples
from cli.main import app
from cli.new_model.make import Made, new_model
from tests.cli.tables import Columns, Make

REGION = "eu-west-1"
Run = Callable[..., Result]


@dataclass(frozen=True)
class HTTPResponse:
    """As much of an HTTP answer as botocore looks at."""

    status_code: int


@pytest.fixture
def run() -> Run:
    """Runs a command line; gives its exit code, output and error output."""
    runner = CliRunner(env={"TERM": "dumb", "COLUMNS": "200", "MILLRACE_PORT": "1"})

    def run(*arguments: str) -> Result:
        return runner.invoke(app, list(arguments))

    return run


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An empty account, as the environment `dev`."""
    for name, value in {"AWS_ACCESS_KEY_ID": "mock", "AWS_SECRET_ACCESS_KEY": "mock"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield Aws("dev", boto3.Session(region_name=REGION))


def deploy(aws: Aws, model: str, resources: dict[str, Any], outputs: dict[str, Any]) -> Deployment:
    """Stacks of a model: the storage stack puts out a bucket's name, the loop stack the rest."""
    storage = {
        "Resources": {"Data": {"Type": "AWS::S3::Bucket"}},
        "Outputs": {"DataBucket": {"Value": {"Ref": "Data"}}},
    }
    nothing = {"Nothing": {"Type": "AWS::SQS::Queue"}}
    loop = {
        "Resources": resources or nothing,
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    for part, template in {"storage": storage, "loop": loop}.items():
        aws.cloudformation.create_stack(
            StackName=stack_name(aws.environment, model, part), TemplateBody=json.dumps(template)
        )
    return deployment(aws, model)


def alarms(deployed: Deployment, *names: str) -> None:
    """Make alarms, and let CloudFormation (moto's knows no alarms) say that they are of the loop stack."""
    for name in names:
        deployed.aws.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            Period=60,
            Statistic="Maximum",
            Threshold=0,
        )
    resources = [{"ResourceType": "AWS::CloudWatch::Alarm", "PhysicalResourceId": name} for name in names]
    answer = (HTTPResponse(200), {"StackResourceSummaries": resources})
    deployed.aws.cloudformation.meta.events.register(
        "before-call.cloudformation.ListStackResources",
        lambda **_: answer,  # type: ignore[arg-type]
    )


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a model of columns, or of text; the target is `y` unless named otherwise."""

    def make(table: Columns | str, *, name: str = "mine", target: str = "y", **options: Any) -> Made:
        path = tmp_path / "table.csv"
        if isinstance(table, str):
            path.write_text(table, encoding="utf-8", newline="")
        else:
            samples.write_csv(path, list(table), zip(*table.values(), strict=True))
        return new_model(name, path, column=target, root=tmp_path, **options)

    return make
