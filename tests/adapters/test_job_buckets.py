"""The batch path's bucket: ranges in, parts out, and nothing left of what is not committed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from moto import mock_aws

from adapters import job_buckets as s3
from adapters.errors import AccessDenied, AlreadyExists, AwsError, NotFound, Transient
from adapters.job_buckets import JobBucket
from adapters.ports import StoredObject

NAME = "bucket"
CONTENT = b"0123456789" * 1_200_000
KEY = "scored/table.csv/v.csv"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=NAME)
        client.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART_BYTES", 5 * 1024 * 1024)  # the least that S3 takes
    monkeypatch.setattr(s3, "RANGE_BYTES", 1_000_003)


def contents(stored: StoredObject) -> bytes:
    """All bytes, read in pieces as a job does."""
    return b"".join(iter(lambda: stored.stream.read(64 * 1024), b""))


def leftovers(client: Any) -> list[Any]:
    uploads: list[Any] = client.list_multipart_uploads(Bucket=NAME).get("Uploads", [])
    return uploads


def test_a_version_is_read_range_by_range_whatever_replaced_it(client: Any) -> None:
    version = client.put_object(Bucket=NAME, Key="a", Body=CONTENT)["VersionId"]
    client.put_object(Bucket=NAME, Key="a", Body=b"another")
    stored = JobBucket(NAME, client).open("a", version)
    assert stored.size == len(CONTENT)
    assert contents(stored) == CONTENT


def test_what_is_not_there_is_not_found(client: Any) -> None:
    version = client.put_object(Bucket=NAME, Key="a", Body=b"1")["VersionId"]
    client.delete_object(Bucket=NAME, Key="a", VersionId=version)
    with pytest.raises(NotFound):
        JobBucket(NAME, client).open("a", version)


def test_a_broken_range_is_asked_for_again(client: Any) -> None:
    class Flaky(JobBucket):
        asked = 0

        def read_range(self, key: str, version_id: str, start: int, size: int) -> bytes:
            Flaky.asked += 1
            if Flaky.asked == 2:
                raise Transient("GetObject", "SlowDown", "slow down")
            return super().read_range(key, version_id, start, size)

    version = client.put_object(Bucket=NAME, Key="a", Body=CONTENT)["VersionId"]
    assert contents(Flaky(NAME, client).open("a", version)) == CONTENT
    assert Flaky.asked == 1 + -(-len(CONTENT) // s3.RANGE_BYTES)


@pytest.mark.parametrize("body", [CONTENT, b"small", b""], ids=["parts", "one put", "empty"])
def test_a_file_becomes_one_object(client: Any, body: bytes) -> None:
    bucket = JobBucket(NAME, client)
    bucket.create(KEY, io.BytesIO(body), "text/csv")
    found = client.get_object(Bucket=NAME, Key=KEY)
    assert (found["Body"].read(), found["ContentType"]) == (body, "text/csv")
    assert leftovers(client) == []


@pytest.mark.parametrize("body", [CONTENT, b"small"], ids=["parts", "one put"])
def test_what_exists_is_kept_and_nothing_is_left_of_the_second(client: Any, body: bytes) -> None:
    bucket = JobBucket(NAME, client)
    client.put_object(Bucket=NAME, Key=KEY, Body=b"the first")
    with pytest.raises(AlreadyExists):
        bucket.create(KEY, io.BytesIO(body), "text/csv")
    assert bucket.read(KEY) == b"the first"
    assert leftovers(client) == []


def test_a_file_that_cannot_be_read_to_its_end_leaves_nothing(client: Any) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > s3.PART_BYTES:
                raise OSError("the disk is gone")
            return super().read(size)

    with pytest.raises(OSError, match="the disk is gone"):
        JobBucket(NAME, client).create(KEY, Broken(CONTENT), "text/csv")
    assert leftovers(client) == []
    assert not JobBucket(NAME, client).exists(KEY)


def answered(*steps: tuple[str, str | dict[str, Any]]) -> Any:
    """A client that gives these answers, or errors of these codes, in order; all were asked for at the end."""
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    stubber = Stubber(client)
    for operation, answer in steps:
        if isinstance(answer, str):
            stubber.add_client_error(operation, answer)
        else:
            stubber.add_response(operation, answer)
    stubber.activate()
    return client, stubber


def test_the_fault_is_told_even_if_its_leftovers_cannot_be_removed() -> None:
    client, stubber = answered(
        ("create_multipart_upload", {"UploadId": "u"}),
        ("upload_part", "AccessDenied"),
        ("abort_multipart_upload", "InternalError"),
    )
    with pytest.raises(AccessDenied):
        JobBucket(NAME, client).create(KEY, io.BytesIO(CONTENT), "text/csv")
    stubber.assert_no_pending_responses()


def test_the_commit_is_conditional() -> None:
    client, stubber = answered(("create_multipart_upload", {"UploadId": "u"}))
    for number in range(1, 4):
        stubber.add_response("upload_part", {"ETag": f'"{number}"'})
    parts = [{"PartNumber": number, "ETag": f'"{number}"'} for number in range(1, 4)]
    wanted = {
        "Bucket": NAME,
        "Key": KEY,
        "UploadId": "u",
        "IfNoneMatch": "*",
        "MultipartUpload": {"Parts": parts},
    }
    stubber.add_response("complete_multipart_upload", {}, wanted)
    JobBucket(NAME, client).create(KEY, io.BytesIO(CONTENT), "text/csv")
    stubber.assert_no_pending_responses()


def test_a_completion_that_another_overtakes_is_tried_again_by_its_caller() -> None:
    client, stubber = answered(("create_multipart_upload", {"UploadId": "u"}))
    for number in range(1, 4):
        stubber.add_response("upload_part", {"ETag": f'"{number}"'})
    stubber.add_client_error("complete_multipart_upload", "ConditionalRequestConflict", http_status_code=409)
    stubber.add_response("abort_multipart_upload", {}, {"Bucket": NAME, "Key": KEY, "UploadId": ANY})
    with pytest.raises(Transient):
        JobBucket(NAME, client).create(KEY, io.BytesIO(CONTENT), "text/csv")
    stubber.assert_no_pending_responses()


def test_parts_grow_so_that_ten_thousand_hold_the_largest_result() -> None:
    sizes = [s3.part_bytes(number) for number in range(10_000)]
    assert sizes == sorted(sizes)
    assert max(sizes) <= 5 * 1024**3  # S3's limit on one part
    assert sum(sizes) == (1 + 2 + 4 + 8 + 16) * s3.PARTS_OF_A_SIZE * s3.PART_BYTES


def test_names_are_listed_across_pages(client: Any) -> None:
    names = {f"{number}.csv.out" for number in range(5)}
    for name in names:
        client.put_object(Bucket=NAME, Key=f"answers/{name}", Body=b"")
    client.meta.events.register(
        "provide-client-params.s3.ListObjectsV2", lambda params, **_: {**params, "MaxKeys": 2}
    )
    assert set(JobBucket(NAME, client).names("answers/")) == names


def test_a_listing_that_fails_is_the_projects_error() -> None:
    client, _ = answered(("list_objects_v2", "InternalError"))
    with pytest.raises(AwsError):
        list(JobBucket(NAME, client).names("answers/"))
    assert not issubclass(AwsError, ClientError)
