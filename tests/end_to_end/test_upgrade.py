"""Stacks of an earlier release become today's in place: what they hold stays, what was live goes on."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import local
from cli.kit import samples
from tests.end_to_end.laptop import Laptop, Model, Row, eventually, table

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

RELEASE = "0.1.0"
ARCHIVE = Path(__file__).parent / "releases" / f"{RELEASE}.tar.xz"
IMAGE = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/millrace:{RELEASE}"
"""The image that the release's templates name."""

STATEFUL = {
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SageMaker::ModelPackageGroup",
    "AWS::SageMaker::Pipeline",
}
LENIENT = "AsTheLocalCloudWas"
STACKS = ("millrace-local-tumor-storage", "millrace-local-tumor-loop")
HEADER, ROWS = samples.tumors()
COPIES = 100
"""Of the rows of an upload in one that takes the batch path."""
TRAINED_ON = 400
"""Rows that the release is trained on; the others come later."""


def unpack(folder: Path) -> Path:
    """The release's folder, the functions' code put together."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    [code] = (folder / "cdk.out").glob("asset.*")
    for part in ("contract", "lambdas"):
        shutil.copytree(folder / "image" / part, code / part)
    return folder


def resources(laptop: Laptop, kinds: Collection[str]) -> dict[str, str]:
    """Physical ids of resources of some types, by stack and logical id."""
    pages = laptop.client("cloudformation").get_paginator("list_stack_resources")
    return {
        f"{stack} {resource['LogicalResourceId']}": resource["PhysicalResourceId"]
        for stack in STACKS
        for page in pages.paginate(StackName=stack)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] in kinds
    }


@contextmanager
def lenient(laptop: Laptop) -> Iterator[None]:
    """A local cloud as it was: what it has come to ask of roles since then, as AWS does, all of them may."""
    iam = laptop.client("iam")
    roles = resources(laptop, {"AWS::IAM::Role"}).values()
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    for role in roles:
        iam.put_role_policy(RoleName=role, PolicyName=LENIENT, PolicyDocument=document)
    yield
    for role in roles:
        iam.delete_role_policy(RoleName=role, PolicyName=LENIENT)


def stack_outputs(laptop: Laptop) -> dict[str, str]:
    stacks = [laptop.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0] for name in STACKS]
    return {output["OutputKey"]: output["OutputValue"] for stack in stacks for output in stack["Outputs"]}


def objects(model: Model) -> set[tuple[str, str, str]]:
    """Every version of every object."""
    s3 = model.laptop.client("s3")
    buckets = [model.outputs[name] for name in ("DataBucket", "ResultsBucket", "ArtifactsBucket")]
    return {
        (bucket, version["Key"], version["VersionId"])
        for bucket in buckets
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        for version in page.get("Versions", [])
    }


def packages(model: Model) -> list[str]:
    listed = model.laptop.client("sagemaker").list_model_packages(
        ModelPackageGroupName=model.outputs["ModelPackageGroup"]
    )
    return [package["ModelPackageArn"] for package in listed["ModelPackageSummaryList"]]


def endpoint(model: Model) -> Any:
    return model.laptop.client("sagemaker").describe_endpoint(EndpointName=model.outputs["Endpoint"])


def dead_letters(model: Model) -> int:
    attributes = model.laptop.client("sqs").get_queue_attributes(
        QueueUrl=model.outputs["ScoreDeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


@dataclass(frozen=True)
class Before:
    """A model of the release, live, and what there was of it."""

    model: Model
    live: Mapping[str, str]
    rows: list[Row]
    resources: dict[str, str]
    objects: set[tuple[str, str, str]]
    packages: list[str]
    configuration: str


def scored(model: Model, key: str, copies: int = 1) -> list[Row]:
    body = table(HEADER[:-1], [row[:-1] for row in ROWS[:100]] * copies)
    return model.result(key, model.upload(key, body), within=120)


@pytest.fixture(scope="module")
def before(make_laptop: Callable[[], Laptop], tmp_path_factory: pytest.TempPathFactory) -> Before:
    """The release on a laptop of its own: deployed, trained and live, by its own code throughout."""
    release = unpack(tmp_path_factory.mktemp("release"))
    laptop = make_laptop()
    images = {IMAGE: release / "image"}
    local.start(laptop.folder, laptop.port, image_root=laptop.root, images=images)
    laptop.cdk("bootstrap", "aws://000000000000/us-east-1")
    laptop.cdk("deploy", "--all", "--app", str(release / "cdk.out"), "--require-approval", "never")
    model = Model(laptop, "tumor", stack_outputs(laptop))
    with lenient(laptop):
        data = tmp_path_factory.mktemp("data")
        model.train(samples.write_csv(data / "first.csv", HEADER, ROWS[:TRAINED_ON]))
        rows = scored(model, "score/before.csv")
    assert {row["model_version"] for row in rows} == {model.live()["model_version"]}
    laptop.client("sqs").send_message(QueueUrl=model.outputs["ScoreDeadLetterQueueUrl"], MessageBody="{}")
    return Before(
        model=model,
        live=model.live(),
        rows=rows,
        resources=resources(laptop, STATEFUL),
        objects=objects(model),
        packages=packages(model),
        configuration=endpoint(model)["EndpointConfigName"],
    )


@pytest.fixture(scope="module")
def after(before: Before) -> Model:
    """The same model once today's app is deployed over it. Nothing was released meanwhile."""
    laptop = before.model.laptop
    laptop.millrace("deploy", "--model", "tumor")
    return laptop.model("tumor")


@pytest.fixture(scope="module")
def kept(after: Model) -> Before:
    """What there is of it then."""
    return Before(
        model=after,
        live=after.live(),
        rows=scored(after, "score/after.csv"),
        resources=resources(after.laptop, STATEFUL),
        objects=objects(after),
        packages=packages(after),
        configuration=endpoint(after)["EndpointConfigName"],
    )


def test_nothing_that_holds_something_is_replaced_or_emptied(before: Before, kept: Before) -> None:
    assert {name: kept.resources.get(name) for name in before.resources} == before.resources
    assert before.objects <= kept.objects
    assert set(before.packages) <= set(kept.packages)
    assert dead_letters(kept.model) == 1


def test_what_was_live_serves_and_scores_as_before(before: Before, kept: Before) -> None:
    assert kept.live == before.live
    assert kept.configuration == before.configuration
    assert kept.rows == before.rows


@pytest.fixture(scope="module")
def large(kept: Before) -> tuple[list[Row], list[str]]:
    """The rows of a large upload, and how executions of the batch path ended."""
    model = kept.model
    functions, name = model.laptop.client("lambda"), model.outputs["ScoreUploadFunction"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    changed = {**variables, "MAX_UPLOAD_BYTES": str(1024 * 1024)}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": changed})
    rows = scored(model, "score/large.csv", COPIES)
    machine, states = model.outputs["BatchStateMachineArn"], model.laptop.client("stepfunctions")

    def ended() -> list[str] | None:
        executions = states.list_executions(stateMachineArn=machine)["executions"]
        statuses = [execution["status"] for execution in executions]
        return None if "RUNNING" in statuses else statuses

    return rows, eventually(ended, within=60, what="the batch ends")


def test_large_uploads_are_scored_by_what_was_live(
    before: Before, large: tuple[list[Row], list[str]]
) -> None:
    assert large == (before.rows * COPIES, ["SUCCEEDED"])


@dataclass(frozen=True)
class Again:
    """A release of today's machine, of the release's model."""

    model: Model
    execution: Any
    live: Mapping[str, str]
    rows: list[Row]


@pytest.fixture(scope="module")
def again(kept: Before, large: object) -> Again:
    model = kept.model
    execution = model.released(model.approve(datetime.now(UTC)))
    return Again(model, execution, model.live(), scored(model, "score/again.csv"))


def test_a_model_of_the_release_is_released_again_and_scores_as_before(before: Before, again: Again) -> None:
    assert again.execution["status"] == "SUCCEEDED", again.execution
    assert again.live["model_package_arn"] == before.live["model_package_arn"]
    assert again.rows == before.rows


@pytest.fixture(scope="module")
def newer(before: Before, again: Again) -> Mapping[str, str]:
    """What is live once more data has come."""
    model = again.model
    model.upload("training/second.csv", table(HEADER, ROWS[TRAINED_ON:]))

    def other() -> Mapping[str, str] | None:
        live = model.live()
        return live if live["model_package_arn"] != before.live["model_package_arn"] else None

    return eventually(other, within=240, what="a model of today's code goes live")


def test_a_new_model_is_compared_with_the_one_that_was_live(
    before: Before, again: Again, newer: Mapping[str, str]
) -> None:
    model = again.model
    assert model.evaluation()["champion"]["model_version"] == before.live["model_version"]
    assert {row["model_version"] for row in scored(model, "score/new.csv")} == {newer["model_version"]}
    shown = model.laptop.millrace("models", "--model", "tumor")
    assert all(live["model_version"] in shown for live in (newer, before.live))


def test_no_role_was_refused_anything(again: Again, newer: Mapping[str, str]) -> None:
    assert again.model.laptop.denials() == []
