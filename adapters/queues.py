"""SQS, as `Queue` and `Outbox` of `adapters.ports`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from adapters.clients import client, translated
from adapters.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


_BATCH = 10
"""SQS's limit on the messages of one request."""


@dataclass(frozen=True)
class SqsQueue:
    """A standard queue."""

    url: str
    client: SQSClient = field(default_factory=partial(client, "sqs"), repr=False)

    def delay(self, receipt_handle: str, seconds: int) -> None:
        with translated("ChangeMessageVisibility"):
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )

    def send(self, bodies: Sequence[str]) -> None:
        for start in range(0, len(bodies), _BATCH):
            entries: list[SendMessageBatchRequestEntryTypeDef] = [
                {"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + _BATCH])
            ]
            with translated("SendMessageBatch"):
                response = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
            for failed in response.get("Failed", []):
                raise AwsError("SendMessageBatch", failed["Code"], failed.get("Message", ""))
