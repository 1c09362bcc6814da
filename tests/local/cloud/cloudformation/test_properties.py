"""A template's property that AWS does not know, or that would be dropped here, is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from local.cloud.cloudformation.reading import Read, peek

Eventually = Callable[..., Any]


@pytest.mark.local_cloud
class TestRefusals:
    @staticmethod
    def deploy(cloud: Any, eventually: Eventually, resource: dict[str, Any]) -> tuple[str, str]:
        """Status of a new stack of one resource, and why the resource failed."""
        name = f"stack-{uuid4().hex[:8]}"
        client = cloud.client("cloudformation")
        client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"It": resource}}))

        def ended() -> str:
            status = str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            return "" if status.endswith("IN_PROGRESS") else status

        status = eventually(ended)
        events = client.describe_stack_events(StackName=name)["StackEvents"]
        reasons = (
            e.get("ResourceStatusReason", "") for e in events if e["ResourceStatus"] == "CREATE_FAILED"
        )
        return status, next(reasons, "")

    @pytest.mark.parametrize(
        ("properties", "reason"),
        [
            ({"Versioning": {"Status": "Enabled"}}, "#: extraneous key [Versioning] is not permitted"),
            (
                {"VersioningConfiguration": {"State": "Enabled"}},
                "#/VersioningConfiguration: extraneous key [State] is not permitted",
            ),
            (
                {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Days": 3}]}},
                "#/LifecycleConfiguration/Rules/0: extraneous key [Days] is not permitted",
            ),
        ],
    )
    def test_what_aws_does_not_know(
        self, running_cloud: Any, eventually: Eventually, properties: dict[str, Any], reason: str
    ) -> None:
        bucket = f"bucket-{uuid4().hex[:8]}"
        resource = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket, **properties}}
        status, why = self.deploy(running_cloud, eventually, resource)
        assert status == "ROLLBACK_COMPLETE"
        assert reason in why
        buckets = running_cloud.client("s3").list_buckets()["Buckets"]
        assert bucket not in [found["Name"] for found in buckets]

    def test_what_would_be_dropped(self, running_cloud: Any, eventually: Eventually) -> None:
        bucket = f"bucket-{uuid4().hex[:8]}"
        properties = {"BucketName": bucket, "AccelerateConfiguration": {"AccelerationStatus": "Enabled"}}
        resource = {"Type": "AWS::S3::Bucket", "Properties": properties}
        status, why = self.deploy(running_cloud, eventually, resource)
        assert status == "ROLLBACK_COMPLETE"
        assert "does not implement AccelerateConfiguration of AWS::S3::Bucket" in why
        buckets = running_cloud.client("s3").list_buckets()["Buckets"]
        assert bucket not in [found["Name"] for found in buckets]

    def test_what_is_kept(self, running_cloud: Any, eventually: Eventually) -> None:
        bucket = f"bucket-{uuid4().hex[:8]}"
        tags = [{"Key": "owner", "Value": "data-science"}]
        resource = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket, "Tags": tags}}
        assert self.deploy(running_cloud, eventually, resource)[0] == "CREATE_COMPLETE"
        tagging = running_cloud.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]
        assert {"Key": "owner", "Value": "data-science"} in tagging


def test_what_nobody_read_is_known() -> None:
    read = Read({"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": [{"g": 4, "h": 5}], "i": {"j": 6}})
    assert list(read.unread()) == ["a", "b", "f", "i"]
    assert read["b"].get("c") == 2
    assert [item["g"] for item in read["f"]] == [4]
    assert list(read.unread()) == ["a", "b.d", "f.h", "i"]


def test_what_is_kept_whole_was_read() -> None:
    read = Read({"a": {"b": 1}})
    kept = read["a"]
    assert list(read.unread()) == []
    assert kept == {"b": 1}


@pytest.mark.parametrize(
    "look",
    [
        dict,
        list,
        lambda read: {**read},
        lambda read: dict(read.items()),
        json.dumps,
        lambda read: read.copy(),
    ],
)
def test_who_looks_at_all_members_has_read_them(look: Callable[[Any], Any]) -> None:
    read = Read({"a": 1, "b": 2})
    look(read)
    assert list(read.unread()) == []


def test_a_glance_is_no_reading() -> None:
    read = Read({"a": {"b": 1}})
    assert (peek(read, "a", "b"), peek(read, "a", "c"), peek(read, "c", "d")) == (1, None, None)
    assert list(read.unread()) == ["a"]
