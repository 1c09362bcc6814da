"""What allowed a call is recorded: which statement of which policy, and whether it alone did."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.local_cloud
Eventually = Callable[..., Any]


def allowed(stack: Any, owner: str) -> list[dict[str, Any]]:
    lines = (stack.cloud.folder / "allowed.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if owner in line["owner"]]


@pytest.fixture
def processed(stack: Any, eventually: Eventually) -> Any:
    """The stack, after an upload was processed."""
    result = stack.upload("allowed.csv")
    eventually(lambda: stack.exists(result))
    return stack


def test_each_statement_that_allowed_something_has_a_line(processed: Any) -> None:
    lines = allowed(processed, processed["WorkerRole"])
    assert {line["policy"] for line in lines} >= {"trust policy", "queue", "bucket", "key", "logs"}
    [line] = [line for line in lines if line["action"] == "s3:GetObjectVersion"]
    assert line["patterns"] == [f"arn:aws:s3:::{processed['Bucket']}/score/*"]
    assert line["sole"]
    assert processed["WorkerRole"] in line["principal"]


def test_a_queue_s_own_policy_has_lines_too(processed: Any) -> None:
    [line] = [line for line in allowed(processed, ":sqs:") if "Uploads" in line["owner"]]
    assert (line["policy"], line["action"]) == ("resource policy", "sqs:SendMessage")


def test_what_two_statements_allow_is_the_doing_of_neither_alone(
    processed: Any, eventually: Eventually
) -> None:
    iam, role = processed.client("iam"), processed["WorkerRole"]
    twice = {"Effect": "Allow", "Action": "s3:GetObjectVersion", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [twice]})
    iam.put_role_policy(RoleName=role, PolicyName="twice", PolicyDocument=document)
    try:
        result = processed.upload("twice.csv")
        eventually(lambda: processed.exists(result))
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="twice")
    lines = [line for line in allowed(processed, role) if line["action"] == "s3:GetObjectVersion"]
    assert {(line["policy"], line["sole"]) for line in lines} >= {("twice", False), ("bucket", False)}
