"""A template's bucket has every configuration that the template gives it."""

from __future__ import annotations

import json
import re
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


def test_an_object_needs_the_permission_on_the_buckets_key_as_well(stack: Any, eventually: Any) -> None:
    iam = stack.client("iam")
    iam.create_user(UserName="no-key")
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_user_policy(
        UserName="no-key", PolicyName="s3", PolicyDocument=json.dumps({"Statement": [statement]})
    )
    keys = iam.create_access_key(UserName="no-key")["AccessKey"]
    s3 = stack.cloud.client("s3", keys["AccessKeyId"], keys["SecretAccessKey"])
    message = f"user/no-key is not authorized to perform: kms:GenerateDataKey on resource: {stack['Key']}"
    with pytest.raises(s3.exceptions.ClientError, match=re.escape(message)):
        s3.put_object(Bucket=stack["Bucket"], Key="x", Body=b"")


def test_a_log_group_needs_a_key_that_lets_cloudwatch_logs_encrypt(stack: Any, eventually: Any) -> None:
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": stack["Key"]}}
    client = stack.client("cloudformation")
    client.create_stack(StackName="logs", TemplateBody=json.dumps({"Resources": {"Group": group}}))

    def failure() -> str | None:
        events = client.describe_stack_events(StackName="logs")["StackEvents"]
        reasons = [event.get("ResourceStatusReason", "") for event in events]
        return next((reason for reason in reasons if "kms:GenerateDataKey" in reason), None)

    assert "logs.amazonaws.com is not authorized" in eventually(failure)


def test_kms_without_a_key_is_the_managed_key(stack: Any) -> None:
    answer = stack.client("s3").put_object(
        Bucket=stack["Logs"], Key="asset", Body=b"", ServerSideEncryption="aws:kms"
    )
    assert answer["SSEKMSKeyId"].endswith("alias/aws/s3")
