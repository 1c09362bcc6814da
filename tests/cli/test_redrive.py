"""`./millrace redrive`, with moto's SQS."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from cli.aws import Aws
from cli.redrive import Work, _drain, _sender
from cli.session import Deployment


@pytest.fixture
def deployed() -> Iterator[Deployment]:
    with mock_aws():
        session = boto3.Session("test", "test", region_name="us-east-1")
        sqs = session.client("sqs")
        outputs = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("ScoreQueueUrl", "Dead")}
        yield Deployment(Aws("local", session), "tumor", outputs)


def test_every_message_goes_back_once_and_leaves_the_dead_letters(deployed: Deployment) -> None:
    sqs = deployed.aws.sqs
    bodies = {f"upload {number}" for number in range(23)}
    for body in bodies:
        sqs.send_message(QueueUrl=deployed["Dead"], MessageBody=body)
    steps: list[int] = []

    count = _drain(deployed, deployed["Dead"], _sender(deployed, Work.SCORE), lambda: steps.append(1))

    assert count == len(steps) == len(bodies)
    back: list[str] = []
    while found := sqs.receive_message(QueueUrl=deployed["ScoreQueueUrl"], MaxNumberOfMessages=10).get(
        "Messages"
    ):
        back += [message["Body"] for message in found]
    assert sorted(back) == sorted(bodies)
    left = sqs.get_queue_attributes(QueueUrl=deployed["Dead"], AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_message_that_cannot_be_sent_stays(deployed: Deployment) -> None:
    sqs = deployed.aws.sqs
    sqs.send_message(QueueUrl=deployed["Dead"], MessageBody="upload")

    def refuse(_: str) -> None:
        raise ConnectionError("no queue")

    with pytest.raises(ConnectionError):
        _drain(deployed, deployed["Dead"], refuse, lambda: None)

    left = sqs.get_queue_attributes(QueueUrl=deployed["Dead"], AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessagesNotVisible"] == "1"
