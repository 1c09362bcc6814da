"""Messages that were given up on: taken one by one, and deleted only once something else has them.

SQS's own StartMessageMoveTask moves dead letters too, but back to a queue only, and where nobody can
count them; the laptop's SQS lacks it. Doing a message twice does no harm here, and so a command that
breaks off need not be undone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.kit.errors import CliError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH = 10
HIDDEN_SECONDS = 120
"""For so long a message that was taken stays hidden from others, should this command break off."""


@dataclass(frozen=True, order=True)
class DeadLetter:
    """One message, and how to delete it."""

    body: str
    receipt_handle: str

    @property
    def approval(self) -> tuple[str, int] | None:
        """The time and the version of a model package's approval, or None where the message is about none."""
        try:
            event = json.loads(self.body)
            return str(event["time"]), int(event["detail"]["ModelPackageArn"].rpartition("/")[2])
        except (ValueError, LookupError, TypeError, AttributeError):
            return None


def dead_letters(sqs: SQSClient, url: str) -> Iterator[list[DeadLetter]]:
    """The messages that lie in a queue now, a few at a time. What comes back meanwhile is not among them."""
    began = time.time() * 1000
    while True:
        received = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        batch = [
            DeadLetter(message["Body"], message["ReceiptHandle"])
            for message in received
            if float(message["Attributes"]["SentTimestamp"]) < began
        ]
        if not batch:
            return
        yield batch


def count(sqs: SQSClient, url: str) -> int:
    """About how many messages lie in a queue."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    return sum(map(int, attributes.values()))


def move(sqs: SQSClient, source: str, target: str, *, on_moved: Callable[[int], object]) -> int:
    """Send all of a queue's messages to another one; how many.

    Raises:
        CliError: SQS did not take one. It and the rest stay where they are.
    """
    moved = 0
    for batch in dead_letters(sqs, source):
        response = sqs.send_message_batch(
            QueueUrl=target,
            Entries=[{"Id": str(n), "MessageBody": dead_letter.body} for n, dead_letter in enumerate(batch)],
        )
        delete(sqs, source, [batch[int(sent["Id"])] for sent in response.get("Successful", [])])
        for failed in response.get("Failed", []):
            raise CliError(f"SQS did not take a message ({failed['Code']}): run the command again.")
        moved += len(batch)
        on_moved(moved)
    return moved


def delete(sqs: SQSClient, url: str, done: list[DeadLetter]) -> None:
    """Delete messages that something else has now."""
    for dead_letter in done:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=dead_letter.receipt_handle)
