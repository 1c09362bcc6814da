"""Whether an object is there is known only to who may list the bucket."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.local_cloud
GET = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": "*"}
LIST = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
UNDER_A = {**LIST, "Condition": {"StringLike": {"s3:prefix": ["a/*"]}}}


@pytest.fixture(scope="module")
def bucket(running_cloud: Any) -> str:
    name = f"bucket-{uuid4().hex[:8]}"
    running_cloud.client("s3").create_bucket(Bucket=name)
    running_cloud.client("s3").put_object(Bucket=name, Key="a/there", Body=b"there")
    return name


def s3_of(cloud: Any, *statements: dict[str, Any]) -> Any:
    """S3 as a role with these statements sees it."""
    iam, name = cloud.client("iam"), f"role-{uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy)
    found = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=cloud.info.endpoint_url,
        region_name=cloud.info.region,
        verify=cloud.info.ca_bundle,
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
    )


def status(s3: Any, operation: str, **names: Any) -> int:
    with pytest.raises(ClientError) as refused:
        getattr(s3, operation)(**names)
    return int(refused.value.response["ResponseMetadata"]["HTTPStatusCode"])


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
@pytest.mark.parametrize(
    ("statements", "key", "expected"),
    [
        ([GET, LIST], "a/gone", 404),
        ([GET, UNDER_A], "a/gone", 404),
        ([GET, UNDER_A], "b/gone", 403),
        ([GET], "a/gone", 403),
    ],
)
def test_who_may_not_list_is_told_so(
    running_cloud: Any,
    bucket: str,
    operation: str,
    statements: list[dict[str, Any]],
    key: str,
    expected: int,
) -> None:
    assert status(s3_of(running_cloud, *statements), operation, Bucket=bucket, Key=key) == expected


def test_the_refusal_names_what_is_missing(running_cloud: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match=f's3:ListBucket on resource: "arn:aws:s3:::{bucket}"'):
        s3_of(running_cloud, GET).get_object(Bucket=bucket, Key="gone")


def test_what_is_there_needs_no_list(running_cloud: Any, bucket: str) -> None:
    s3 = s3_of(running_cloud, GET)
    assert s3.get_object(Bucket=bucket, Key="a/there")["Body"].read() == b"there"
