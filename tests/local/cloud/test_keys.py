"""A key that is disabled protects from everybody, the root included, until it is enabled again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.local_cloud
Eventually = Callable[..., Any]


@contextlib.contextmanager
def disabled(stack: Any) -> Iterator[None]:
    """The stack's key cannot be used for a while."""
    kms = stack.client("kms")
    kms.disable_key(KeyId=stack["Key"])
    try:
        yield
    finally:
        kms.enable_key(KeyId=stack["Key"])


def code(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def test_what_it_encrypts_can_be_neither_read_nor_written(stack: Any, eventually: Eventually) -> None:
    s3, sqs, sns = (stack.client(name) for name in ("s3", "sqs", "sns"))
    s3.put_object(Bucket=stack["Bucket"], Key="kept/here", Body=b"kept")
    with disabled(stack):
        assert code(lambda: s3.get_object(Bucket=stack["Bucket"], Key="kept/here")) == "KMS.DisabledException"
        put = {"Bucket": stack["Bucket"], "Key": "kept/there", "Body": b""}
        assert code(lambda: s3.put_object(**put)) == "KMS.DisabledException"
        assert code(lambda: sqs.send_message(QueueUrl=stack["Uploads"], MessageBody="x")) == "KmsDisabled"
        assert code(lambda: sns.publish(TopicArn=stack["Pager"], Message="x")) == "KMSDisabled"
    assert s3.get_object(Bucket=stack["Bucket"], Key="kept/here")["Body"].read() == b"kept"


def test_a_queue_s_messages_wait_until_they_can_be_read(stack: Any, eventually: Eventually) -> None:
    """The function's role may, yet the queue is not read: AWS stops polling until the key is usable."""
    lambdas = stack.client("lambda")
    [mapping] = lambdas.list_event_source_mappings(FunctionName=stack["Worker"])["EventSourceMappings"]

    def stopped() -> bool:
        state = lambdas.get_event_source_mapping(UUID=mapping["UUID"])["LastProcessingResult"]
        return "is disabled" in state

    with disabled(stack):
        eventually(stopped)
    result = stack.upload("unlocked.csv")
    eventually(lambda: stack.exists(result))


def test_a_page_through_an_encrypted_topic_fails_and_the_alarm_s_history_says_so(
    stack: Any, eventually: Eventually
) -> None:
    cloudwatch = stack.client("cloudwatch")
    name = stack["UnscorableAlarm"]

    def failed() -> bool:
        items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")
        return any("is disabled" in item["HistorySummary"] for item in items["AlarmHistoryItems"])

    with disabled(stack):
        for state in ("OK", "ALARM"):
            cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")
        eventually(failed)


def test_the_topic_of_a_template_has_its_key(stack: Any) -> None:
    attributes = stack.client("sns").get_topic_attributes(TopicArn=stack["Pager"])["Attributes"]
    assert attributes["KmsMasterKeyId"] == stack["Key"]
