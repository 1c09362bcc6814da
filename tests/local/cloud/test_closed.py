"""The cloud is as closed as it says: to the unsigned, to the wrongly signed, and to pages in a browser."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.local_cloud
REFUSED = {
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "UnrecognizedClientException",
    "403",
}


@pytest.fixture(scope="module")
def ask(running_cloud: Any) -> Callable[..., urllib3.BaseHTTPResponse]:
    """Sends a request that nobody signed."""
    pool = urllib3.PoolManager(ca_certs=running_cloud.info.ca_bundle, retries=False)

    def send(method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        return pool.request(method, running_cloud.info.endpoint_url + path, **options)

    return send


@pytest.fixture(scope="module")
def secret_object(running_cloud: Any) -> tuple[str, str]:
    """Bucket and key of an object."""
    s3 = running_cloud.client("s3")
    s3.create_bucket(Bucket="closed")
    s3.put_object(Bucket="closed", Key="secret", Body=b"secret")
    return "closed", "secret"


def signed_by(cloud: Any, service: str, access_key: str, secret_key: str, token: str | None = None) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=cloud.info.endpoint_url,
        region_name=cloud.info.region,
        verify=cloud.info.ca_bundle,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/_ministack/reset"),
        ("POST", "/_ministack/config"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_ministack/lambda-code/sleeper"),
        ("GET", "/_ministack/health"),
        ("GET", "/_localstack/health"),
        ("PUT", "/_ministack/cfn-response/x"),
    ],
)
def test_the_emulator_s_own_routes_are_closed(
    running_cloud: Any, ask: Any, secret_object: tuple[str, str], method: str, path: str
) -> None:
    assert ask(method, path).status == 404
    bucket, key = secret_object
    assert running_cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == b"secret"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("PUT", "/made-by-nobody", {}),
        ("GET", "/closed", {}),
        ("GET", "/closed/secret", {}),
        ("PUT", "/closed/planted", {}),
        ("DELETE", "/closed/secret", {}),
        ("POST", "/", {"X-Amz-Target": "AmazonSQS.ListQueues"}),
        ("POST", "/", {"X-Amz-Target": "SageMaker.ListModels"}),
        ("POST", "/endpoints/e/invocations", {}),
        ("GET", "/2015-03-31/functions", {}),
    ],
)
def test_the_unsigned_is_refused(
    running_cloud: Any,
    ask: Any,
    secret_object: tuple[str, str],
    method: str,
    path: str,
    headers: dict[str, str],
) -> None:
    answer = ask(method, path, headers=headers)
    assert answer.status in (400, 403), answer.data
    assert b"secret" not in answer.data.replace(path.encode(), b"")
    s3 = running_cloud.client("s3")
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="closed")["Contents"]] == ["secret"]
    assert "made-by-nobody" not in json.dumps(s3.list_buckets()["Buckets"], default=str)


@pytest.mark.parametrize(
    "key", ["test", "000000000000", "", "the root's", "a user's", "a session's"], ids=str
)
@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("s3", "list_buckets"),
        ("sqs", "list_queues"),
        ("sagemaker", "list_models"),
        ("cloudformation", "list_stacks"),
        ("lambda", "list_functions"),
    ],
)
def test_a_wrong_secret_is_refused_whoever_s_it_is(
    running_cloud: Any, key: str, service: str, operation: str
) -> None:
    access_key, secret, token = keys_of(running_cloud, key)
    client = signed_by(running_cloud, service, access_key or "x", f"{secret}wrong", token)
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)()
    assert refused.value.response["Error"]["Code"] in REFUSED


def keys_of(cloud: Any, whose: str) -> tuple[str, str, str | None]:
    if whose == "the root's":
        return cloud.info.access_key, cloud.info.secret_key, None
    iam = cloud.client("iam")
    if whose == "a user's":
        name = f"user-{time.monotonic_ns()}"
        iam.create_user(UserName=name)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"], None
    if whose == "a session's":
        name = f"role-{time.monotonic_ns()}"
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        found = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
        return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
    return whose, "test", None


def presigned(cloud: Any, secret_object: tuple[str, str], seconds: int, secret: str = "") -> str:
    bucket, key = secret_object
    client = boto3.client(
        "s3",
        endpoint_url=cloud.info.endpoint_url,
        region_name=cloud.info.region,
        aws_access_key_id=cloud.info.access_key,
        aws_secret_access_key=secret or cloud.info.secret_key,
        config=Config(signature_version="s3v4"),
    )
    url = client.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=seconds
    )
    return str(url).removeprefix(cloud.info.endpoint_url)


def test_a_presigned_url_of_the_root_holds_until_it_expires(
    running_cloud: Any, ask: Any, secret_object: tuple[str, str], eventually: Callable[..., Any]
) -> None:
    lasting = presigned(running_cloud, secret_object, 600)
    assert ask("GET", lasting).data == b"secret"
    path = presigned(running_cloud, secret_object, 1)
    eventually(lambda: ask("GET", path).status == 403)
    assert b"expired" in ask("GET", path).data


def test_a_presigned_url_with_another_secret_is_refused(
    running_cloud: Any, ask: Any, secret_object: tuple[str, str]
) -> None:
    assert ask("GET", presigned(running_cloud, secret_object, 600, "wrong")).status == 403


def test_a_request_addressed_to_another_host_is_refused(
    running_cloud: Any, ask: Any, secret_object: tuple[str, str]
) -> None:
    path = presigned(running_cloud, secret_object, 600)
    for host in ("evil.example", f"evil.example:{running_cloud.info.port}", "closed.s3.amazonaws.com"):
        assert ask("GET", path, headers={"Host": host}).status == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"},
    ],
    ids=str,
)
def test_a_page_is_not_answered(
    running_cloud: Any, ask: Any, secret_object: tuple[str, str], headers: dict[str, str]
) -> None:
    path = presigned(running_cloud, secret_object, 600)
    for method in ("GET", "OPTIONS"):
        answer = ask(method, path, headers=headers)
        assert answer.status == 403
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_no_answer_is_for_a_page(running_cloud: Any, secret_object: tuple[str, str]) -> None:
    for service, operation in (("s3", "list_buckets"), ("sqs", "list_queues"), ("sagemaker", "list_models")):
        answer = getattr(running_cloud.client(service), operation)()
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert not [name for name in headers if name.lower().startswith("access-control-")]


def test_the_root_s_key_is_for_the_owner_s_eyes(running_cloud: Any) -> None:
    for name in ("cloud.json", "root-key.json"):
        assert stat.S_IMODE((running_cloud.folder / name).stat().st_mode) == 0o600
    assert running_cloud.info.secret_key not in repr(running_cloud.info)
