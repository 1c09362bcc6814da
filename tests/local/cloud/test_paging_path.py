"""CloudWatch → SNS → SQS, through an encrypted topic that takes nothing without TLS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.local_cloud
Eventually = Callable[..., Any]


def put(stack: Any, **values: float) -> None:
    dimensions = {"Unscorable": [{"Name": "Model", "Value": "tumor"}]}
    data = [
        {"MetricName": name, "Value": value, "Dimensions": dimensions.get(name, [])}
        for name, value in values.items()
    ]
    stack.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=data)


def page(stack: Any, eventually: Eventually, alarm: str) -> dict[str, Any]:
    def received() -> dict[str, Any] | None:
        bodies = [json.loads(message["Body"]) for message in stack.receive("Pages")]
        return next((body for body in bodies if body["AlarmName"] == stack[alarm]), None)

    found: dict[str, Any] = eventually(received)
    return found


def reset(stack: Any, alarm: str) -> None:
    stack.client("cloudwatch").set_alarm_state(AlarmName=stack[alarm], StateValue="OK", StateReason="test")


def test_an_alarm_pages_with_cloudwatchs_message(stack: Any, eventually: Eventually) -> None:
    reset(stack, "UnscorableAlarm")
    put(stack, Unscorable=1)
    message = page(stack, eventually, "UnscorableAlarm")
    assert (message["OldStateValue"], message["NewStateValue"]) == ("OK", "ALARM")
    assert message["AlarmDescription"] == "An upload could not be read."
    assert message["Trigger"]["Dimensions"] == [{"value": "tumor", "name": "Model"}]
    history = stack.client("cloudwatch").describe_alarm_history(
        AlarmName=stack["UnscorableAlarm"], HistoryItemType="Action"
    )
    assert history["AlarmHistoryItems"][0]["HistorySummary"].startswith(
        "Successfully executed action arn:aws:sns"
    )


def test_metric_math_is_evaluated(stack: Any, eventually: Eventually) -> None:
    put(stack, Rejected=3, Scored=1)
    message = page(stack, eventually, "ShareAlarm")
    assert "datapoints [75]" in message["NewStateReason"]


def test_an_alarm_that_could_not_be_evaluated_is_refused(stack: Any) -> None:
    client = stack.client("cloudwatch")
    with pytest.raises(client.exceptions.ClientError, match="ANOMALY_DETECTION_BAND"):
        client.put_metric_alarm(
            AlarmName="unsupported",
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            Metrics=[{"Id": "e1", "Expression": "ANOMALY_DETECTION_BAND(m1)", "ReturnData": True}],
        )


def test_a_topic_that_does_not_let_cloudwatch_publish_fails_the_action(
    stack: Any, eventually: Eventually
) -> None:
    sns, cloudwatch = stack.client("sns"), stack.client("cloudwatch")
    topic = {"TopicArn": stack["Pager"], "AttributeName": "Policy"}
    policy = json.loads(sns.get_topic_attributes(TopicArn=stack["Pager"])["Attributes"]["Policy"])
    denying_only = {**policy, "Statement": [item for item in policy["Statement"] if item["Effect"] == "Deny"]}
    alarm = stack["UnscorableAlarm"]
    sns.set_topic_attributes(**topic, AttributeValue=json.dumps(denying_only))
    try:
        for state in ("OK", "ALARM"):
            cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="test")
        history = cloudwatch.describe_alarm_history(AlarmName=alarm, HistoryItemType="Action")
    finally:
        sns.set_topic_attributes(**topic, AttributeValue=json.dumps(policy))
    summary = history["AlarmHistoryItems"][0]["HistorySummary"]
    assert summary.startswith("Failed to execute action")
    assert "cloudwatch.amazonaws.com is not authorized to perform: sns:Publish" in summary
    assert stack.denied("sns:Publish")["resource"] == stack["Pager"]
