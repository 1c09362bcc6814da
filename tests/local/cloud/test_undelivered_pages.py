"""What SNS cannot deliver ends in the subscription's own dead-letter queue, and is counted."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.local_cloud
Eventually = Callable[..., Any]


class Topic:
    """A topic with a subscription that has a dead-letter queue."""

    def __init__(self, cloud: Any, *, allowed: bool = True) -> None:
        self.cloud = cloud
        self.name = f"topic-{uuid4().hex[:8]}"
        self.arn = cloud.client("sns").create_topic(Name=self.name)["TopicArn"]
        self.letters = self.queue("letters", allowed=allowed)

    def queue(self, name: str, *, allowed: bool) -> str:
        """URL of a queue to which SNS may send, or may not."""
        arn = f"arn:aws:sqs:us-east-1:000000000000:{self.name}-{name}"
        statement = {
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Principal": {"Service": "sns.amazonaws.com"},
            "Condition": {"ArnEquals": {"aws:SourceArn": self.arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        attributes = {"Policy": policy} if allowed else {}
        queue = self.cloud.client("sqs").create_queue(QueueName=arn.rpartition(":")[2], Attributes=attributes)
        return str(queue["QueueUrl"])

    def subscribe(self, protocol: str, endpoint: str) -> None:
        letters = f"arn:aws:sqs:us-east-1:000000000000:{self.name}-letters"
        sns = self.cloud.client("sns")
        sns.subscribe(
            TopicArn=self.arn,
            Protocol=protocol,
            Endpoint=endpoint,
            Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": letters})},
        )

    def publish(self, text: str) -> None:
        self.cloud.client("sns").publish(TopicArn=self.arn, Message=text)

    def received(self, url: str) -> list[str]:
        messages = self.cloud.client("sqs").receive_message(QueueUrl=url).get("Messages", [])
        return [json.loads(message["Body"])["Message"] for message in messages]

    def count(self, metric: str) -> float:
        now = dt.datetime.now(dt.UTC)
        points = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SNS",
            MetricName=metric,
            Dimensions=[{"Name": "TopicName", "Value": self.name}],
            StartTime=now - dt.timedelta(minutes=5),
            EndTime=now + dt.timedelta(minutes=5),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))


@pytest.mark.parametrize("state", ["gone", "forbidden"])
def test_a_queue_that_cannot_be_sent_to(running_cloud: Any, eventually: Eventually, state: str) -> None:
    topic = Topic(running_cloud)
    if state == "forbidden":
        topic.queue("inbox", allowed=False)
    topic.subscribe("sqs", f"arn:aws:sqs:us-east-1:000000000000:{topic.name}-inbox")
    topic.publish("wake up")
    assert eventually(lambda: topic.received(topic.letters)) == ["wake up"]
    assert topic.count("NumberOfNotificationsFailed") == 1
    assert topic.count("NumberOfNotificationsRedrivenToDlq") == 1
    assert topic.count("NumberOfNotificationsDelivered") == 0


def test_a_queue_that_takes_it_and_no_dead_letter(running_cloud: Any, eventually: Eventually) -> None:
    topic = Topic(running_cloud)
    inbox = topic.queue("inbox", allowed=True)
    topic.subscribe("sqs", f"arn:aws:sqs:us-east-1:000000000000:{topic.name}-inbox")
    topic.publish("wake up")
    assert eventually(lambda: topic.received(inbox)) == ["wake up"]
    assert topic.received(topic.letters) == []
    assert topic.count("NumberOfNotificationsDelivered") == 1


def test_a_dead_letter_queue_that_may_not_be_sent_to_is_counted(
    running_cloud: Any, eventually: Eventually
) -> None:
    topic = Topic(running_cloud, allowed=False)
    topic.subscribe("sqs", f"arn:aws:sqs:us-east-1:000000000000:{topic.name}-nowhere")
    topic.publish("wake up")
    eventually(lambda: topic.count("NumberOfNotificationsFailedToRedriveToDlq") == 1)
    assert topic.received(topic.letters) == []


def test_an_address_that_does_not_answer(running_cloud: Any, eventually: Eventually) -> None:
    topic = Topic(running_cloud)
    with receiver() as (address, bodies):
        topic.subscribe("http", address)
        token = eventually(lambda: bodies and json.loads(bodies[0])["Token"])
        running_cloud.client("sns").confirm_subscription(TopicArn=topic.arn, Token=token)
        topic.publish("heard")
        eventually(lambda: any("heard" in body for body in bodies))
    topic.publish("unheard")
    assert eventually(lambda: topic.received(topic.letters)) == ["unheard"]
    assert topic.count("NumberOfNotificationsDelivered") == 1


@contextlib.contextmanager
def receiver() -> Iterator[tuple[str, list[str]]]:
    """An HTTP address, and the bodies it was sent."""
    bodies: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/pages", bodies
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
