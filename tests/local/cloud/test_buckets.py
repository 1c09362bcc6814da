"""A template's bucket has every configuration that the template gives it."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.local_cloud


def test_encryption_versioning_and_events(stack: Any) -> None:
    s3, bucket = stack.client("s3"), {"Bucket": stack["Bucket"]}
    rule = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == stack["Key"]
    assert rule["BucketKeyEnabled"]
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(**bucket)


def test_lifecycle_and_access_logs(stack: Any) -> None:
    s3, bucket = stack.client("s3"), {"Bucket": stack["Bucket"]}
    rule = s3.get_bucket_lifecycle_configuration(**bucket)["Rules"][0]
    assert rule["Filter"] == {"Prefix": "score/"}
    assert rule["Expiration"] == {"Days": 30}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    logging = s3.get_bucket_logging(**bucket)["LoggingEnabled"]
    assert logging == {"TargetBucket": stack["Logs"], "TargetPrefix": "data/"}


def test_an_object_is_read_by_version_and_put_once(stack: Any) -> None:
    s3, where = stack.client("s3"), {"Bucket": stack["Bucket"], "Key": "once"}
    first = s3.put_object(**where, Body=b"1", IfNoneMatch="*")["VersionId"]
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(**where, Body=b"2", IfNoneMatch="*")
    s3.put_object(**where, Body=b"3")
    assert s3.get_object(**where, VersionId=first)["Body"].read() == b"1"


def test_kms_without_a_key_is_the_managed_key(stack: Any) -> None:
    answer = stack.client("s3").put_object(
        Bucket=stack["Logs"], Key="asset", Body=b"", ServerSideEncryption="aws:kms"
    )
    assert answer["SSEKMSKeyId"].endswith("alias/aws/s3")
