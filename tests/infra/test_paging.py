"""A page leaves: CloudWatch may publish to the topic and use its key, and people are subscribed."""

from __future__ import annotations

import pytest

from infra.training.pipeline.template import render
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth


def test_the_topic_is_encrypted_with_the_models_key(stacks: Synthesis) -> None:
    [topic] = stacks.of_type("AWS::SNS::Topic").values()
    name = stacks.configuration.environment_name
    assert render(topic["Properties"]["KmsMasterKeyId"]).endswith(f"millrace-{name}-tumor-storage:KeyArn")


def test_the_topic_takes_tls_only_and_from_this_models_alarms(stacks: Synthesis) -> None:
    [policy] = stacks.of_type("AWS::SNS::TopicPolicy").values()
    by_effect = {s["Effect"]: s for s in policy["Properties"]["PolicyDocument"]["Statement"]}
    assert by_effect["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    allowed = by_effect["Allow"]
    assert (allowed["Action"], allowed["Principal"]) == (
        "sns:Publish",
        {"Service": "cloudwatch.amazonaws.com"},
    )
    assert allowed["Condition"]["StringEquals"]["aws:SourceAccount"]
    pattern = render(allowed["Condition"]["ArnLike"]["aws:SourceArn"])
    region = stacks.configuration.environment.region
    name = stacks.configuration.environment_name
    assert pattern.startswith(f"arn:aws:cloudwatch:{region}:")
    assert pattern.endswith(f":alarm:millrace-{name}-tumor-*")
    for alarm in stacks.of_type("AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmName"].startswith(f"millrace-{name}-tumor-")


def test_everyone_configured_is_subscribed(stacks: Synthesis) -> None:
    settings = stacks.configuration.environment.paging
    found = sorted(
        (s["Properties"]["Protocol"], s["Properties"]["Endpoint"])
        for s in stacks.of_type("AWS::SNS::Subscription").values()
        if s["Properties"]["Protocol"] != "sqs"
    )
    expected = [("email", address) for address in settings.emails]
    expected += [("https", url) for url in settings.https]
    assert found == sorted(expected)


def test_the_inbox_is_where_one_is_wanted(stacks: Synthesis) -> None:
    wanted = stacks.configuration.environment.paging.inbox
    inboxes = [name for name in stacks.of_type("AWS::SQS::Queue") if name.startswith("PagingInbox")]
    assert len(inboxes) == int(wanted)
    assert ("PageInboxUrl" in stacks.loop["Outputs"]) == wanted
