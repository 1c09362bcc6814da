"""S3 as moto has it, and what it says in its bad moments."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from adapters import errors
from adapters.buckets import S3Bucket
from adapters.clients import client
from adapters.ports import ObjectVersion
from tests.fixtures.account import create_bucket


@pytest.fixture
def bucket(aws: None) -> S3Bucket:
    create_bucket("data")
    return S3Bucket("data")


def test_a_download_that_breaks_off_is_transient() -> None:
    s3 = boto3.client("s3", region_name="eu-central-1")
    with Stubber(s3) as stub:
        body = StreamingBody(io.BytesIO(b"half"), 8)
        stub.add_response(
            "get_object", {"Body": body, "ContentLength": 8, "LastModified": "2026-01-01T00:00:00Z"}
        )
        stream = S3Bucket("data", s3).open("k", "v").stream
        with pytest.raises(errors.Transient):
            stream.read()
        stream.close()


def test_an_object_is_created_once(bucket: S3Bucket) -> None:
    bucket.create("k", b"first", "text/plain")
    with pytest.raises(errors.AlreadyExists):
        bucket.create("k", io.BytesIO(b"second"), "text/plain")
    assert bucket.read("k") == b"first"


def test_only_the_very_key_exists(bucket: S3Bucket) -> None:
    bucket.create("a/b.csv", b"", "text/csv")
    assert [bucket.exists(key) for key in ("a/b.csv", "a/b", "a", "a/b.csv2", "zzz")] == [True, *[False] * 4]


def test_a_version_is_opened_after_it_was_replaced_and_deleted(bucket: S3Bucket) -> None:
    version_id = client("s3").put_object(Bucket="data", Key="k", Body=b"one")["VersionId"]
    client("s3").put_object(Bucket="data", Key="k", Body=b"two!")
    client("s3").delete_object(Bucket="data", Key="k")
    stored = bucket.open("k", version_id)
    with stored.stream as stream:
        assert (stream.read(), stored.size) == (b"one", 3)
    assert stored.last_modified.tzinfo is not None
    with pytest.raises(errors.NotFound):
        bucket.open("k")
    with pytest.raises(errors.NotFound):
        bucket.open("k", "no-such-version")


@pytest.mark.parametrize(
    ("listed", "kind"),
    [("this-version", errors.AccessDenied), ("another", errors.NotFound), (None, errors.AccessDenied)],
)
def test_a_denied_version_is_gone_only_if_a_listing_says_so(
    listed: str | None, kind: type[errors.AwsError]
) -> None:
    s3 = boto3.client("s3", region_name="eu-central-1")
    with Stubber(s3) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        if listed:
            versions = [{"Key": "k", "VersionId": listed}, {"Key": "k2", "VersionId": "this-version"}]
            stub.add_response(
                "list_object_versions", {"Versions": versions}, {"Bucket": "data", "Prefix": "k"}
            )
        else:
            stub.add_client_error("list_object_versions", "AccessDenied", http_status_code=403)
        with pytest.raises(kind) as caught:
            S3Bucket("data", s3).open("k", "this-version")
    assert caught.value.operation == "GetObject"


def test_current_versions_are_without_what_was_replaced_or_deleted(bucket: S3Bucket) -> None:
    for key in ("t/1", "t/2", "t/3", "u/1"):
        client("s3").put_object(Bucket="data", Key=key, Body=b"x")
    client("s3").put_object(Bucket="data", Key="t/1", Body=b"xy")
    client("s3").delete_object(Bucket="data", Key="t/2")
    assert [(found.key, found.size) for found in bucket.current_versions("t/")] == [("t/1", 2), ("t/3", 1)]


def test_current_versions_are_of_all_pages() -> None:
    s3 = boto3.client("s3", region_name="eu-central-1")
    first = {"Key": "t/1", "VersionId": "a", "Size": 1, "IsLatest": True}
    markers = {"IsTruncated": True, "NextKeyMarker": "t/1", "NextVersionIdMarker": "a"}
    with Stubber(s3) as stub:
        stub.add_response("list_object_versions", {"Versions": [first], **markers})
        stub.add_response("list_object_versions", {"Versions": [{**first, "Key": "t/2"}]})
        assert [found.key for found in S3Bucket("data", s3).current_versions("t/")] == ["t/1", "t/2"]


def test_a_copy_is_of_the_version_it_names(bucket: S3Bucket) -> None:
    version_id = client("s3").put_object(Bucket="data", Key="k", Body=b"one")["VersionId"]
    client("s3").put_object(Bucket="data", Key="k", Body=b"two")
    bucket.copy(ObjectVersion(key="k", version_id=version_id, size=3), "copy")
    assert bucket.read("copy") == b"one"


def test_a_copy_of_a_version_that_is_gone_is_not_found(bucket: S3Bucket) -> None:
    client("s3").put_object(Bucket="data", Key="k", Body=b"one")
    with pytest.raises(errors.NotFound):
        bucket.copy(ObjectVersion(key="k", version_id="gone", size=3), "copy")


def test_a_withdrawn_object_is_hidden_and_its_version_kept(bucket: S3Bucket) -> None:
    bucket.create("scored/a/v.csv", b"1", "text/csv")
    assert bucket.holds("scored/a/v.")
    bucket.withdraw("scored/a/v.csv")
    assert not bucket.holds("scored/a/v.")
    assert len(client("s3").list_object_versions(Bucket=bucket.name)["Versions"]) == 1


def test_versions_are_listed_from_a_key_on_current_or_not() -> None:
    s3 = boto3.client("s3", region_name="eu-central-1")
    version = {"Key": "t/2", "VersionId": "a", "LastModified": datetime.fromtimestamp(60, UTC)}
    markers = {"IsTruncated": True, "NextKeyMarker": "t/2", "NextVersionIdMarker": "a"}
    asked = {"Bucket": "data", "Prefix": "t/"}
    with Stubber(s3) as stub:
        page = {"Versions": [version], **markers}
        stub.add_response("list_object_versions", page, {**asked, "KeyMarker": "t/1"})
        page = {"Versions": [{**version, "VersionId": "b"}], "IsTruncated": False}
        stub.add_response("list_object_versions", page, {**asked, "KeyMarker": "t/2", "VersionIdMarker": "a"})
        found = list(S3Bucket("data", s3).versions("t/", "t/1"))
    assert [(v.key, v.version_id, v.last_modified) for v in found] == [("t/2", "a", 60), ("t/2", "b", 60)]


def test_a_version_is_there_until_it_is_deleted_for_good(bucket: S3Bucket) -> None:
    version_id = client("s3").put_object(Bucket="data", Key="k", Body=b"one")["VersionId"]
    client("s3").put_object(Bucket="data", Key="k2", Body=b"two")
    bucket.replace("k", b"two", "text/plain")
    bucket.withdraw("k")
    assert bucket.has_version("k", version_id)
    client("s3").delete_object(Bucket="data", Key="k", VersionId=version_id)
    assert not bucket.has_version("k", version_id)
