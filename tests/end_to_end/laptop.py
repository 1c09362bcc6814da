"""A laptop: a checkout of this project with its own local cloud, driven as a user drives it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest

import local
from cli.kit.paths import tool_path
from contract import layout

Row = dict[str, str]
T = TypeVar("T")


def eventually(ask: Callable[[], T | None], *, within: float, what: str) -> T:
    """The first true answer of `ask`; a failed test that says what did not happen."""
    deadline = time.monotonic() + within
    while not (answer := ask()):
        if time.monotonic() > deadline:
            pytest.fail(f"did not happen within {within:g} s: {what}")
        time.sleep(0.1)
    return answer


@dataclass(frozen=True)
class Laptop:
    """A checkout and its cloud. `broken` names roles and stacks that a test has taken something from.

    CDK's own validation of templates takes seconds of every deployment: it is done where `validated`.
    """

    root: Path
    port: int
    broken: set[str] = field(default_factory=set)
    validated: bool = False

    @property
    def folder(self) -> Path:
        return self.root / ".millrace" / f"cloud-{self.port}"

    def millrace(self, *arguments: str) -> str:
        """What `./millrace …` prints; it must succeed."""
        return self._run([str(self.root / "millrace"), *arguments], {})

    def aws(self, *arguments: str) -> str:
        """What the AWS CLI prints, with the variables of `./millrace env`."""
        return self._run([str(self.root / ".venv/bin/aws"), *arguments], local.environment(self.folder))

    def cdk(self, *arguments: str) -> str:
        """What the CDK CLI prints, with the variables of `./millrace env`. No app is in its folder."""
        tools = f"{self.root / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        variables = {**local.environment(self.folder), "PATH": tools}
        return self._run([str(self.root / "node_modules/.bin/cdk"), *arguments], variables, self.folder)

    def client(self, service: str) -> Any:
        """A boto3 client of the account's root."""
        variables = local.environment(self.folder)
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name=variables["AWS_REGION"],
            verify=variables["AWS_CA_BUNDLE"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )

    def model(self, name: str) -> Model:
        outputs = json.loads(self.millrace("outputs", "--model", name))
        return Model(self, name, outputs)

    def like_tumor(self, name: str, *, mode: str) -> Model:
        """The model `tumor` under another name and with another `serving.mode`, deployed."""
        folder = self.root / "models" / name
        folder.mkdir()
        text = (self.root / "models" / "tumor" / "model.toml").read_text()
        text = text.replace('name        = "tumor"', f'name        = "{name}"')
        (folder / "model.toml").write_text(f'{text}\n[serving]\nmode = "{mode}"\n')
        self.millrace("deploy", "--model", name)
        return self.model(name)

    def switch(self, model: Model, mode: str) -> Model:
        """A model made by `like_tumor` with another `serving.mode`: deployed, and its live version released."""
        path = self.root / "models" / model.name / "model.toml"
        path.write_text(re.sub(r'mode = "\w+"', f'mode = "{mode}"', path.read_text()))
        self.millrace("deploy", "--model", model.name)
        changed = self.model(model.name)
        released = changed.released(changed.approve(datetime.now(UTC)))
        assert released["status"] == "SUCCEEDED", released
        return changed

    def destroy(self, model: str, *stacks: str) -> None:
        """Delete stacks of a model with the CDK CLI, as docs/take-down.md says."""
        for stack in stacks:
            chosen = ["-c", "environment=local", "-c", f"model={model}", "--force"]
            command = [str(self.root / "node_modules/.bin/cdk"), "destroy", stack, "--exclusively", *chosen]
            variables = {**local.environment(self.folder), "PATH": tool_path(), "PYTHONPATH": str(self.root)}
            self._run(command, variables)

    def denials(self) -> list[Mapping[str, str]]:
        """Everything IAM refused so far."""
        path = self.folder / "denied.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _run(self, command: Sequence[str], variables: Mapping[str, str], folder: Path | None = None) -> str:
        environ = {**os.environ, "MILLRACE_PORT": str(self.port), "COLUMNS": "200", **variables}
        if not self.validated:
            environ["CDK_VALIDATION"] = "false"
        done = subprocess.run(
            command, cwd=folder or self.root, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@dataclass(frozen=True)
class Model:
    """A model deployed on a laptop."""

    laptop: Laptop
    name: str
    outputs: Mapping[str, str]

    def upload(self, key: str, body: bytes) -> str:
        """Put an object into the data bucket; its version id."""
        put = self.laptop.client("s3").put_object(Bucket=self.outputs["DataBucket"], Key=key, Body=body)
        return str(put["VersionId"])

    def train(self, *tables: Path) -> None:
        """Upload the tables of a folder with the AWS CLI and wait until the model made of them is live."""
        chosen = [word for table in tables for word in ("--include", table.name)]
        folder, training = str(tables[0].parent), f"s3://{self.outputs['DataBucket']}/training/"
        self.laptop.aws("s3", "cp", folder, training, "--recursive", "--exclude", "*", *chosen)
        eventually(self._released, within=120, what=f"a version of {self.name} goes live")

    def runs(self) -> int:
        """How many runs were started."""
        sagemaker = self.laptop.client("sagemaker")
        return len(
            sagemaker.list_pipeline_executions(PipelineName=self.outputs["Pipeline"])[
                "PipelineExecutionSummaries"
            ]
        )

    def live(self) -> Mapping[str, str]:
        """What the release recorded about the version that serves."""
        released = self._released()
        assert released is not None, f"no version of {self.name} is live"
        return released

    def _released(self) -> Mapping[str, str] | None:
        ssm = self.laptop.client("ssm")
        try:
            value = ssm.get_parameter(Name=layout.live_parameter("local", self.name))["Parameter"]["Value"]
        except ssm.exceptions.ParameterNotFound:
            return None
        return dict(json.loads(value))

    def approve(self, at: datetime) -> str:
        """Release the live version again, as its approval at this time would; the execution."""
        detail = {"ModelPackageArn": self.live()["model_package_arn"], "ModelApprovalStatus": "Approved"}
        event = {"source": "aws.sagemaker", "time": f"{at:%Y-%m-%dT%H:%M:%SZ}", "detail": detail}
        started = self.laptop.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["ReleaseStateMachineArn"], input=json.dumps(event)
        )
        return str(started["executionArn"])

    def released(self, execution: str) -> Any:
        """A release's execution, once it has ended."""
        functions = self.laptop.client("stepfunctions")

        def look() -> Any:
            described = functions.describe_execution(executionArn=execution)
            return described if described["status"] != "RUNNING" else None

        return eventually(look, within=60, what="the release ends")

    def evaluation(self) -> Any:
        """What `evaluate` wrote of the live version."""
        package = self.laptop.client("sagemaker").describe_model_package(
            ModelPackageName=self.live()["model_package_arn"]
        )
        uri = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return json.load(self.laptop.client("s3").get_object(Bucket=bucket, Key=key)["Body"])

    def result(self, key: str, version_id: str, *, within: float = 60) -> list[Row]:
        """The rows of a scored upload, once it is scored."""
        where = layout.scored_key(key, version_id)
        return list(csv.DictReader(io.StringIO(self._outcome(where, within).decode())))

    def refusal(self, key: str, version_id: str) -> Any:
        """The document of an unscorable upload, once there is one."""
        return json.loads(self._outcome(layout.unscorable_key(key, version_id), 60))

    def outcomes(self, prefix: str = "") -> list[str]:
        """Every version of every object in the results bucket whose key has `prefix` after its first folder."""
        pages = (
            self.laptop.client("s3")
            .get_paginator("list_object_versions")
            .paginate(Bucket=self.outputs["ResultsBucket"])
        )
        keys = [version["Key"] for page in pages for version in page.get("Versions", [])]
        return [key for key in keys if key.partition("/")[2].startswith(prefix)]

    def waiting(self) -> int:
        """How many messages are in the score queue, in work or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.laptop.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["ScoreQueueUrl"], AttributeNames=names
        )["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def page(self, alarm: str, *, within: float = 90) -> Any:
        """The page that an alarm sent, once it came."""
        name = f"{layout.resource_name('local', self.name)}-{alarm}"
        return eventually(
            lambda: next((page for page in self._pages() if page["AlarmName"] == name), None),
            within=within,
            what=f"the page {name}",
        )

    def _pages(self) -> Iterator[Any]:
        """All pages in the inbox but those that were looked at within a second; one call gives ten at most."""
        sqs = self.laptop.client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=self.outputs["PageInboxUrl"], MaxNumberOfMessages=10, VisibilityTimeout=1
        ).get("Messages"):
            for message in messages:
                yield json.loads(json.loads(message["Body"])["Message"])

    def read(self, key: str) -> bytes:
        """An object of the results bucket."""
        answer = self.laptop.client("s3").get_object(Bucket=self.outputs["ResultsBucket"], Key=key)
        return bytes(answer["Body"].read())

    def _outcome(self, key: str, within: float) -> bytes:
        def look() -> bytes | None:
            try:
                return self.read(key)
            except self.laptop.client("s3").exceptions.NoSuchKey:
                return None

        return eventually(look, within=within, what=f"the outcome {key}")


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A table as CSV bytes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
