"""The small stack of `stack.yaml`, deployed once to the session's cloud."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

STACK_NAME = "test"


@dataclass(frozen=True)
class Stack:
    """The deployed stack: its outputs by name, and clients of the cloud it is in."""

    cloud: Any
    outputs: dict[str, str]

    def __getitem__(self, output: str) -> str:
        return self.outputs[output]

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def upload(self, name: str, body: bytes = b"12345") -> str:
        """Put an object under score/ and return where its result appears."""
        version = self.client("s3").put_object(Bucket=self["Bucket"], Key=f"score/{name}", Body=body)[
            "VersionId"
        ]
        return f"scored/{name}/{version}"

    def exists(self, key: str) -> bool:
        found = self.client("s3").list_objects_v2(Bucket=self["Bucket"], Prefix=key)
        return bool(found["KeyCount"])

    def receive(self, queue: str) -> list[dict[str, Any]]:
        """Take messages off a queue."""
        client = self.client("sqs")
        answer = client.receive_message(
            QueueUrl=self[queue], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        for message in answer.get("Messages", []):
            client.delete_message(QueueUrl=self[queue], ReceiptHandle=message["ReceiptHandle"])
        return list(answer.get("Messages", []))

    def denied(self, action: str) -> dict[str, Any] | None:
        """The last refusal of an action."""
        lines = [json.loads(line) for line in self.cloud.denials().splitlines()]
        return next((line for line in reversed(lines) if line["action"] == action), None)

    @contextlib.contextmanager
    def without_policy(self, role: str, policy: str) -> Iterator[None]:
        """Take an inline policy from a role for a while."""
        iam = self.client("iam")
        names = {"RoleName": self[role], "PolicyName": policy}
        document = iam.get_role_policy(**names)["PolicyDocument"]
        iam.delete_role_policy(**names)
        try:
            yield
        finally:
            iam.put_role_policy(**names, PolicyDocument=json.dumps(document))


@pytest.fixture(scope="session")
def stack(running_cloud: Any, eventually: Callable[..., Any]) -> Stack:
    client = running_cloud.client("cloudformation")
    template = (Path(__file__).parent / "stack.yaml").read_text()
    client.create_stack(StackName=STACK_NAME, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])

    def described() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found

    found = eventually(described)
    assert found["StackStatus"] == "CREATE_COMPLETE", found
    return Stack(running_cloud, {item["OutputKey"]: item["OutputValue"] for item in found["Outputs"]})
