"""An account as moto has it, with a queue that is polled as Lambda polls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lambdas.adapters.clients import client
from lambdas.score_upload.handler import handler
from tests.lambdas.uploads import event


@dataclass
class Context:
    """What Lambda tells a function about its invocation."""

    aws_request_id: str = "request-1"
    seconds: float = 60.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass
class Account:
    """An account with two buckets and a queue."""

    queue_url: str
    keys: Iterator[str] = field(default_factory=lambda: (f"score/{n}.csv" for n in range(10_000)))
    received: list[dict[str, Any]] = field(default_factory=list)

    def upload(self, body: bytes) -> str:
        """Upload under a new key, whose event S3 sends; the key."""
        key = next(self.keys)
        version_id = client("s3").put_object(Bucket="data", Key=key, Body=body)["VersionId"]
        client("sqs").send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(event(key, version_id)))
        return key

    def poll(self, invoke: Callable[..., dict[str, Any]] = handler) -> None:
        """Receive what is visible and invoke the function with it, as Lambda's poller does."""
        received = client("sqs").receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        self.received = records = [
            {
                "messageId": m["MessageId"],
                "receiptHandle": m["ReceiptHandle"],
                "body": m["Body"],
                "attributes": m["Attributes"],
            }
            for m in received.get("Messages", [])
        ]
        failures = invoke({"Records": records}, Context())["batchItemFailures"]
        failed = {failure["itemIdentifier"] for failure in failures}
        for record in records:
            if record["messageId"] not in failed:
                client("sqs").delete_message(QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"])

    def let_visibility_time_out(self) -> None:
        """What the last poll received and did not delete is visible again."""
        for record in self.received:
            with suppress(ClientError):
                client("sqs").change_message_visibility(
                    QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
                )

    def waiting(self) -> tuple[str, str]:
        """Messages that are visible, and that are not."""
        attributes = client("sqs").get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["All"])[
            "Attributes"
        ]
        return attributes["ApproximateNumberOfMessages"], attributes["ApproximateNumberOfMessagesNotVisible"]

    def outcomes(self, key: str) -> dict[str, bytes]:
        """Every version of every outcome of an upload."""
        versions = client("s3").list_object_versions(Bucket="results").get("Versions", [])
        name = key.removeprefix("score/")
        found = [v for v in versions if v["Key"].split("/", 1)[1].startswith(name + "/")]
        assert len(found) == len({v["Key"] for v in found})
        return {
            v["Key"]: client("s3").get_object(Bucket="results", Key=v["Key"])["Body"].read() for v in found
        }


def create_bucket(name: str) -> None:
    """A bucket with versions."""
    location = {"LocationConstraint": "eu-central-1"}
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=location)
    client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
