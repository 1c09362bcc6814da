"""Any key that S3 allows: put, read, listed with its versions, told of, and missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.local_cloud
Eventually = Callable[..., Any]

KEYS = [
    *("a\nb", "a\rb", "a\tb", "a\x01b", "a\x1fb", "a\x7fb", "a\x85b", "a\ufffeb", "a\uffffb", "a\u2028b"),
    *("a b", " a ", "a+b", "a%b", "a%0Ab", "a&b<c>", "a\"b'", "a\\b", "a;b", "?x=1", "#x"),
    *("ü", "e\u0301", "😀", "\u202ea", "..", "../x", "./x", "a//b", "a/", "/a"),
]


@pytest.fixture(scope="module")
def bucket(running_cloud: Any) -> str:
    s3, name = running_cloud.client("s3"), f"bucket-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.mark.parametrize("text", KEYS, ids=ascii)
def test_it_is_an_object_like_any(running_cloud: Any, bucket: str, text: str) -> None:
    s3, key = running_cloud.client("s3"), f"score/{text}"
    s3.put_object(Bucket=bucket, Key=key, Body=b"first")
    s3.put_object(Bucket=bucket, Key=key, Body=b"second")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"second"
    assert key in [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    versions = [v["VersionId"] for v in s3.list_object_versions(Bucket=bucket)["Versions"] if v["Key"] == key]
    bodies = [s3.get_object(Bucket=bucket, Key=key, VersionId=v)["Body"].read() for v in versions]
    assert bodies == [b"second", b"first"]
    s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=bucket, Key=key)


def test_pages_of_versions_go_on_behind_one(running_cloud: Any) -> None:
    s3, name = running_cloud.client("s3"), f"bucket-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    keys = sorted(f"a{text}" for text in KEYS)
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=b"")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=name, PaginationConfig={"PageSize": 2})
    assert [version["Key"] for page in pages for version in page.get("Versions", [])] == keys


def test_it_is_told_of(stack: Any, eventually: Eventually) -> None:
    """From S3 by EventBridge and a queue to a function, which puts a result."""
    result = stack.upload("a\x01b\r\n\ufffe+%0A.csv")
    eventually(lambda: stack.exists(result))


def test_an_event_has_the_key_as_it_is(running_cloud: Any, bucket: str, eventually: Eventually) -> None:
    sqs, events = running_cloud.client("sqs"), running_cloud.client("events")
    name = f"events-{uuid4().hex[:8]}"
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn, "Principal": {"Service": "events.amazonaws.com"}}  # fmt: skip
    queue = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps({"Statement": [allow]})})
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}))  # fmt: skip
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    s3 = running_cloud.client("s3")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket=bucket, Key="a\x01b\r\n\ufffe+%0A", Body=b"")
    [message] = eventually(lambda: sqs.receive_message(QueueUrl=queue["QueueUrl"]).get("Messages"))
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "a\x01b\r\n\ufffe+%0A"
