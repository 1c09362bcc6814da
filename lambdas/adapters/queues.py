"""SQS, as `lambdas.adapters.ports.Queue`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from lambdas.adapters.clients import client, translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class SqsQueue:
    """The queue a function's event source reads."""

    url: str
    client: SQSClient = field(default_factory=partial(client, "sqs"), repr=False)

    def delay(self, receipt_handle: str, seconds: int) -> None:
        with translated("ChangeMessageVisibility"):
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
