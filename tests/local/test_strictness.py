"""What a strict cloud does: draws of a seed, throttling, new roles, new buckets, Describe after Create, quotas."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import local
from local.cloud.strictness import Strictness
from local.cloud.throttling import Throttling
from local.sagemaker.errors import ServiceError
from local.sagemaker.quotas import Quotas, of_configuration, of_processing, of_training
from local.sagemaker.visibility import Visibility
from tests.local.sagemaker import fake_image
from tests.local.sagemaker.workbench import CLUSTER, RESOURCES, Workbench, wait_for

Eventually = Callable[..., Any]


def request(service: str, key: str = "AKIA", target: str = "", path: str = "/") -> dict[str, Any]:
    authorization = f"AWS4-HMAC-SHA256 Credential={key}/20261121/us-east-1/{service}/aws4_request, Signed…"
    headers = [(b"authorization", authorization.encode())]
    if target:
        headers.append((b"x-amz-target", target.encode()))
    return {"type": "http", "method": "POST", "path": path, "headers": headers}


class TestDraws:
    def test_a_seed_gives_the_same_again_and_another_seed_another(self) -> None:
        draws = [Strictness(7).draw("throttle", n) for n in range(200)]
        assert draws == [Strictness(7).draw("throttle", n) for n in range(200)]
        assert draws != [Strictness(8).draw("throttle", n) for n in range(200)]
        assert 0 <= min(draws) < 0.1
        assert 0.9 < max(draws) < 1

    def test_a_number_within_bounds(self) -> None:
        numbers = [Strictness(seed).between((2.0, 5.0), "role") for seed in range(100)]
        assert 2 <= min(numbers) < max(numbers) < 5


class TestThrottling:
    def test_the_same_calls_are_throttled_each_time_and_none_twice_in_a_row(self) -> None:
        def pattern(seed: int) -> list[bool]:
            throttling = Throttling(Strictness(seed))
            call = request("sagemaker", target="SageMaker.DescribeEndpoint")
            return [throttling.refusal(call) is not None for _ in range(300)]

        refused = pattern(3)
        assert refused == pattern(3) != pattern(4)
        assert 20 < sum(refused) < 70
        assert not any(one and next_one for one, next_one in pairwise(refused))

    @pytest.mark.parametrize(
        ("scope", "status", "code"),
        [
            (request("sagemaker", target="SageMaker.CreateModel"), 400, "ThrottlingException"),
            (request("s3", path="/bucket/key"), 503, "SlowDown"),
            (request("sns"), 400, "<Code>Throttling</Code>"),
            (request("lambda", path="/2015-03-31/functions/f/invocations"), 429, "TooManyRequestsException"),
        ],
    )
    def test_each_service_says_it_in_its_own_way(self, scope: dict[str, Any], status: int, code: str) -> None:
        throttling = Throttling(Strictness(1, throttled=1.0))
        refusal = throttling.refusal(scope)
        assert refusal is not None
        assert refusal.status == status
        assert code in refusal.body.decode()
        assert throttling.refusal(scope) is None

    def test_what_is_not_signed_is_left_to_the_services(self) -> None:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        assert Throttling(Strictness(1, throttled=1.0)).refusal(scope) is None


class TestQuotas:
    def test_instances_are_taken_and_given_back(self) -> None:
        quotas, uses = Quotas(Strictness(1)), {"ml.m5.large for endpoint usage": 2}
        quotas.take(uses)
        with pytest.raises(ServiceError, match="is 2 Instances, with current utilization of 2") as refused:
            quotas.take({"ml.m5.large for endpoint usage": 1})
        assert refused.value.code == "ResourceLimitExceeded"
        quotas.give_back(uses)
        quotas.take(uses)

    def test_all_or_none(self) -> None:
        quotas = Quotas(Strictness(1, instances={"b": 0}))
        with pytest.raises(ServiceError):
            quotas.take({"a": 2, "b": 1})
        quotas.take({"a": 2})

    def test_what_fails_takes_none(self) -> None:
        quotas = Quotas(Strictness(1))
        with pytest.raises(ValueError, match="no"), quotas.taken({"a": 2}):
            raise ValueError("no")
        quotas.take({"a": 2})

    def test_without_strictness_there_are_none(self) -> None:
        Quotas(None).take({"a": 10_000})

    def test_whose_quota_it_is(self) -> None:
        assert of_processing({"ProcessingResources": CLUSTER}) == {"ml.m5.large for processing job usage": 1}
        assert of_training({"ResourceConfig": RESOURCES}) == {"ml.m5.large for training job usage": 1}
        spot = {"ResourceConfig": RESOURCES, "EnableManagedSpotTraining": True}
        assert of_training(spot) == {"ml.m5.large for spot training job usage": 1}
        variants = [{"InstanceType": "ml.m5.large", "InitialInstanceCount": count} for count in (1, 2)]
        config = {"ProductionVariants": [*variants, {"ServerlessConfig": {}}]}
        assert of_configuration(config) == {"ml.m5.large for endpoint usage": 3}


def test_describe_does_not_know_at_once_what_was_created() -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model/m"
    visibility = Visibility(Strictness(1, describe_seconds=(600, 600)))
    visibility.created({"ModelArn": arn})
    with pytest.raises(ServiceError, match="Could not find model"):
        visibility.check("DescribeModel", arn)
    visibility.check("DescribeModel", arn + "other")
    at_once = Visibility(None)
    at_once.created({"ModelArn": arn})
    at_once.check("DescribeModel", arn)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    root = tmp_path_factory.mktemp("strict")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    local.start(root / "cloud", port, image_root=fake_image.write(root / "image"), strict=5)
    try:
        yield Workbench(local.environment(root / "cloud"), root / "cloud")
    finally:
        local.stop(root / "cloud")


@pytest.mark.local_cloud
class TestStrictCloud:
    def test_boto3_gets_through_and_who_does_not_try_again_is_throttled(self, strict: Workbench) -> None:
        variables = local.environment(strict.folder)
        impatient = boto3.client(
            "sqs",
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            verify=variables["AWS_CA_BUNDLE"],
            region_name="us-east-1",
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )
        for _ in range(40):
            strict.client("sqs").list_queues()

        def error() -> str:
            try:
                impatient.list_queues()
            except ClientError as throttled:
                return str(throttled.response["Error"]["Code"])
            return ""

        assert {error() for _ in range(100)} == {"", "ThrottlingException"}

    def test_a_new_role_cannot_be_assumed_at_once(self, strict: Workbench) -> None:
        role = strict.role("new", ["sagemaker.amazonaws.com"], ["s3:*", "ecr:*", "logs:*", "cloudwatch:*"])

        def process() -> str:
            return strict.process("environment", role=role)

        with pytest.raises(ClientError, match="Could not assume role"):
            process()

        def later() -> str:
            try:
                return process()
            except ClientError:
                return ""

        assert wait_for(later, "the role is there")
        denied = strict.folder / "denied.jsonl"
        assert not denied.exists() or role.rpartition("/")[2] not in denied.read_text()

    def test_a_third_instance_of_a_kind_is_one_too_many(self, strict: Workbench) -> None:
        def begun() -> str:
            try:
                return strict.process("wait")
            except ClientError:  # the role is too new
                return ""

        def ended(job: str) -> bool:
            try:
                strict.sagemaker.stop_processing_job(ProcessingJobName=job)
                described = strict.sagemaker.describe_processing_job(ProcessingJobName=job)
            except ClientError:
                return True
            return bool(described["ProcessingJobStatus"] == "Stopped")

        jobs = [wait_for(begun, "a job begins") for _ in range(2)]
        with pytest.raises(ClientError, match=r"'ml\.m5\.large for processing job usage' is 2 Instances"):
            strict.process("wait")
        for job in jobs:
            wait_for(partial(ended, job), "the job stops")
        assert wait_for(begun, "a job begins where others have ended")

    def test_a_new_bucket_s_objects_are_not_told_of_at_first(self, strict: Workbench) -> None:
        bucket = f"bucket-{uuid4().hex[:8]}"
        strict.s3.create_bucket(Bucket=bucket)
        strict.s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
        queue = strict.queue_of_events(pattern)
        strict.s3.put_object(Bucket=bucket, Key="too-early", Body=b"")

        def told() -> list[str]:
            strict.s3.put_object(Bucket=bucket, Key="later", Body=b"")
            messages = strict.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
            return [json.loads(message["Body"])["detail"]["object"]["key"] for message in messages]

        assert set(wait_for(told, "events of the bucket")) == {"later"}
