"""S3 → EventBridge → SQS → Lambda, with each policy and role in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.local_cloud
Eventually = Callable[..., Any]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a b+ü.csv", id="a key that notifications would encode"),
        pytest.param("crash.csv", id="the process dies at the first try"),
        pytest.param("raise.csv", id="the handler raises at the first try"),
        pytest.param("malformed.csv", id="the answer names no message of the batch at the first try"),
    ],
)
def test_an_upload_is_processed_in_the_end(stack: Any, eventually: Eventually, name: str) -> None:
    result = stack.upload(name)
    eventually(lambda: stack.exists(result))


def test_a_message_that_fails_again_and_again_goes_to_the_dead_letter_queue(
    stack: Any, eventually: Eventually
) -> None:
    stack.upload("poison.csv")
    # On a busy machine other uploads come twice within the queue's second, and end there, too.
    eventually(lambda: any("poison.csv" in message["Body"] for message in stack.receive("DeadLetters")))


@pytest.mark.parametrize(
    ("policy", "action"),
    [
        ("queue", "sqs:ReceiveMessage"),
        ("key", "kms:Decrypt"),
        ("bucket", "s3:GetObjectVersion"),
        ("logs", "logs:CreateLogStream"),
    ],
)
def test_a_missing_permission_stops_the_function_and_is_found(
    stack: Any, eventually: Eventually, policy: str, action: str
) -> None:
    with stack.without_policy("WorkerRole", policy):
        stack.upload(f"without-{policy}.csv")
        denial = eventually(lambda: stack.denied(action))
    assert stack["WorkerRole"] in denial["principal"]
    assert denial["resource"].startswith(f"arn:aws:{action.partition(':')[0]}:")
    assert denial["message"].startswith(
        f"User: {denial['principal']} is not authorized to perform: {action} on resource: "
    )


def test_a_queue_that_the_function_may_read_again_is_read_again(stack: Any, eventually: Eventually) -> None:
    with stack.without_policy("WorkerRole", "queue"):
        result = stack.upload("waits.csv")
        eventually(lambda: stack.denied("sqs:ReceiveMessage"))
    eventually(lambda: stack.exists(result))


def test_log_lines_in_embedded_metric_format_become_metrics(stack: Any, eventually: Eventually) -> None:
    result = stack.upload("measured.csv", b"x" * 1000)
    eventually(lambda: stack.exists(result))

    def largest() -> bool:
        found = stack.client("cloudwatch").get_metric_statistics(
            Namespace="Test",
            MetricName="Rows",
            Dimensions=[{"Name": "Model", "Value": "tumor"}],
            StartTime=0,
            EndTime=4e9,
            Period=60,
            Statistics=["Maximum"],
        )
        return any(point["Maximum"] == 1000 for point in found["Datapoints"])

    eventually(largest)


def test_only_metrics_that_something_emits(stack: Any, eventually: Eventually) -> None:
    def metrics() -> bool:
        listed = stack.client("cloudwatch").list_metrics()["Metrics"]
        found = {(metric["Namespace"], metric["MetricName"]) for metric in listed}
        return found >= {
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"),
            ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
            ("AWS/Lambda", "Invocations"),
            ("AWS/Lambda", "Errors"),
            ("AWS/Lambda", "Throttles"),
            ("AWS/Lambda", "Duration"),
        }

    eventually(metrics)
