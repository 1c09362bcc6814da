"""A capability that is added to a stack is paged about, found by commands and done again: docs/add-a-capability.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cli.aws.clients import Aws
from cli.aws.logs.sources import log_sources
from cli.aws.redrive.routes import Result, redrives
from cli.aws.session import Deployment as Deployed
from cli.commands.logs import read_lines
from cli.commands.status import queues
from infra.alarms.paging import Paging
from infra.app import Configuration
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.storage_names import Storage
from infra.kit.upload_queue import UploadQueue
from infra.stacks.loop import put_in_operation
from tests.cli.conftest import deploy
from tests.cli.test_logs import HOUR_AGO, write
from tests.synthesis import alone

pytestmark = pytest.mark.synth

TIMEOUT_SECONDS = 60


class Thumbnails(Composite, Construct):
    """A function with a queue of uploads: all that a capability has to say of its own is its names."""

    def __init__(self, scope: Construct, construct_id: str, *, deployment: Deployment) -> None:
        super().__init__(scope, construct_id)
        uploads = UploadQueue(
            self,
            "Uploads",
            deployment=deployment,
            name="thumbnail",
            about=("A picture", "pictures"),
            prefix="pictures/",
            max_receives=3,
            consumer_timeout_seconds=TIMEOUT_SECONDS,
        )
        function = Function(
            self,
            "DrawThumbnail",
            deployment=deployment,
            name="draw_thumbnail",
            log_source="thumbnail",
            description="Draws a thumbnail",
            variables={},
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=256,
            allows=[uploads.consume],
        )
        function.consume(uploads.queue.queue_arn, batch_size=1, max_concurrency=2)
        self.parts = (uploads, function)


@pytest.fixture(scope="module")
def template(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A stack with nothing but paging and the new capability."""
    configuration = Configuration.read(root, environment="local", model="tumor")
    with alone():
        app = cdk.App(outdir=str(tmp_path_factory.mktemp("cdk.out")))
        stack = cdk.Stack(app, "one")
        deployment = Deployment(
            name="millrace-local-tumor",
            environment_name="local",
            model="tumor",
            settings=configuration.environment,
            serving=configuration.model.serving,
            storage=Storage(
                data_bucket="data",
                results_bucket="results",
                artifacts_bucket="artifacts",
                key_arn="arn:aws:kms:us-east-1:000000000000:key/1",
                package_group="millrace-local-tumor",
                serving_role_arn="arn:aws:iam::000000000000:role/serving",
            ),
            code=lambda_.Code.from_inline("def handler(*_): ..."),
        )
        paging = Paging(stack, "Paging", deployment=deployment)
        new = Thumbnails(stack, "Thumbnails", deployment=deployment)
        put_in_operation(stack, deployment, topic=paging.topic, capabilities=(paging, new))
        made: dict[str, Any] = app.synth().get_stack_by_name("one").template
    return made


@pytest.fixture
def deployed(aws: Aws, template: dict[str, Any]) -> Deployed:
    """Its queues in a mocked account, and all its outputs."""
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    outputs = {
        name: output["Value"]
        for name, output in template["Outputs"].items()
        if not name.startswith("PageTopic")
    }
    return deploy(aws, "tumor", resources, outputs)


def test_its_alarms_page(template: dict[str, Any]) -> None:
    alarms = [
        r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"
    ]

    assert {alarm["AlarmName"].removeprefix("millrace-local-tumor-") for alarm in alarms} == {
        "draw-thumbnail-errors",
        "draw-thumbnail-throttles",
        "page-dead-letters",
        "thumbnail-dead-letters",
        "thumbnail-oldest-message",
        "thumbnail-undelivered-events",
    }
    assert all(alarm["AlarmActions"] for alarm in alarms)


def test_it_is_put_out_under_its_names(template: dict[str, Any]) -> None:
    assert {name for name in template["Outputs"] if "humbnail" in name} == {
        "DrawThumbnailFunction",
        "ThumbnailLogSource",
        "ThumbnailQueueUrl",
        "ThumbnailDeadLetterQueueUrl",
        "ThumbnailRedriveRoute",
    }


def test_its_log_is_read(aws: Aws, deployed: Deployed) -> None:
    write(aws, "/aws/lambda/millrace-local-tumor-draw-thumbnail", (1, "drawn"))

    lines = read_lines(deployed, log_sources(deployed), HOUR_AGO, None)

    assert [(line.source, line.text) for line in lines] == [("thumbnail", "drawn")]


def test_its_dead_letters_are_counted_and_sent_back(deployed: Deployed) -> None:
    sqs = deployed.aws.sqs
    sqs.send_message(QueueUrl=deployed["ThumbnailDeadLetterQueueUrl"], MessageBody="a picture")
    assert ("thumbnail, dead letters", "[red]1 waiting, 0 in flight[/red]") in list(queues(deployed))

    assert redrives(deployed)["thumbnail"](lambda _: None) == Result(1, "none left")

    [message] = sqs.receive_message(QueueUrl=deployed["ThumbnailQueueUrl"])["Messages"]
    assert message["Body"] == "a picture"


def test_two_capabilities_of_one_name_are_refused(template: dict[str, Any]) -> None:
    class Part:
        def alarms(self) -> tuple[()]:
            return ()

        def outputs(self) -> dict[str, str]:
            return {"ThumbnailQueueUrl": "url"}

    class Both(Composite):
        parts = (Part(), Part())

    with pytest.raises(ValueError, match="two parts of Both put out ThumbnailQueueUrl"):
        Both().outputs()
