"""What the tests do over and over: roles, files, jobs and waiting, all through AWS's own interfaces."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import boto3

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/millrace:local"
EARLIER_IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/millrace:earlier"
ACCOUNT = "000000000000"
BUCKET = "workbench"
READS_AND_WRITES = ("s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject")
EVERY_JOB = (
    "cloudwatch:PutMetricData",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
)
"""What a role needs for the job itself, whatever the container does."""
REGISTERS = ("ecr:BatchGetImage", "ecr:DescribeImages")
"""What registering a package needs of the image's repository."""
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}}
RESOURCES = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}

T = TypeVar("T")


def wait_for(probe: Callable[[], T | None], what: str, timeout: float = 60.0) -> T:
    """The first answer of a probe that is true."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if answer := probe():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {timeout} s")


class Workbench:
    """A running cloud with a bucket, a job role and a pipeline role."""

    def __init__(self, variables: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self.variables = variables
        self._session: Any = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=variables["AWS_REGION"],
        )
        self._gateway = {"endpoint_url": variables["AWS_ENDPOINT_URL"], "verify": variables["AWS_CA_BUNDLE"]}
        self.sagemaker = self.client("sagemaker")
        self.runtime = self.client("sagemaker-runtime")
        self.s3 = self.client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        self.job_role = self.role("job", ["sagemaker.amazonaws.com"], [*READS_AND_WRITES, *EVERY_JOB])
        self.pipeline_role = self.role(
            "pipeline",
            ["sagemaker.amazonaws.com"],
            ["sagemaker:*", "s3:GetObject", "iam:PassRole", *REGISTERS],
        )

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """A client of the account's root, or of whoever the credentials are."""
        return self._session.client(service, **self._gateway, **(credentials or {}))

    def role(self, name: str, services: list[str], actions: list[str], resource: Any = "*") -> str:
        """ARN of a new role that may do what is listed and nothing else."""
        iam = self.client("iam")
        trust = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": services, "AWS": "*"},
        }
        unique = f"{name}-{uuid4().hex[:8]}"
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn: str = iam.create_role(RoleName=unique, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if actions:
            allow = {"Effect": "Allow", "Action": actions, "Resource": resource}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
            iam.put_role_policy(RoleName=unique, PolicyName="policy", PolicyDocument=policy)
        return arn

    def assume(self, role_arn: str) -> dict[str, str]:
        """Credentials of a role, as a person assumes it."""
        found = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
        return {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }

    def put(self, key: str, body: str) -> str:
        """Write an object and return its URI."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())
        return f"s3://{BUCKET}/{key}"

    def get(self, uri: str) -> bytes:
        """The bytes of an object."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def process(self, *arguments: str, role: str | None = None, **members: Any) -> str:
        """Start a processing job with one input `dataset` and return its name."""
        name = f"job-{uuid4().hex[:8]}"
        self.sagemaker.create_processing_job(
            **{
                "ProcessingJobName": name,
                "RoleArn": role or self.job_role,
                "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": list(arguments)},
                "ProcessingResources": CLUSTER,
                **members,
            }
        )
        return name

    def train(self, data: str, role: str | None = None, **members: Any) -> str:
        """Start a training job with one channel `train` and return its name."""
        name = f"job-{uuid4().hex[:8]}"
        self.sagemaker.create_training_job(
            **{**training(data, role or self.job_role), "TrainingJobName": name, **members}
        )
        return name

    def processed(self, name: str) -> dict[str, Any]:
        """A processing job's description once it has ended."""
        return self._ended(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name), "ProcessingJobStatus"
        )

    def trained(self, name: str) -> dict[str, Any]:
        """A training job's description once it has ended."""
        return self._ended(
            lambda: self.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus"
        )

    def executed(self, arn: str) -> dict[str, Any]:
        """A pipeline execution's description once it has ended."""
        describe = self.sagemaker.describe_pipeline_execution
        return self._ended(lambda: describe(PipelineExecutionArn=arn), "PipelineExecutionStatus")

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        """A pipeline execution's steps by name."""
        found = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)[
            "PipelineExecutionSteps"
        ]
        return {step["StepName"]: step for step in found}

    def endpoint(self, name: str) -> dict[str, Any]:
        """An endpoint's description once it is at rest."""
        return self._ended(lambda: self.sagemaker.describe_endpoint(EndpointName=name), "EndpointStatus")

    def queue_of_events(self, pattern: Mapping[str, Any]) -> str:
        """URL of a new queue that receives the events of a pattern."""
        name = f"events-{uuid4().hex[:8]}"
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
        statement = {**allow, "Principal": {"Service": "events.amazonaws.com"}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        queue: str = self.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})[
            "QueueUrl"
        ]
        events = self.client("events")
        events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.sagemaker"], **pattern}))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        return queue

    def next_event(self, queue: str) -> dict[str, Any]:
        """The next event of such a queue."""
        sqs = self.client("sqs")
        message = wait_for(
            lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"), "the event"
        )[0]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        event: dict[str, Any] = json.loads(message["Body"])
        return event

    def total(self, namespace: str, metric: str, **dimensions: str) -> float:
        """Sum of a metric's points of the last minutes."""
        now = dt.datetime.now(dt.UTC)
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - dt.timedelta(minutes=10),
            EndTime=now + dt.timedelta(minutes=10),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    def lines(self, group: str, prefix: str) -> list[str]:
        """What the log streams that begin with a prefix hold; nothing before the group's first line."""
        logs = self.client("logs")
        try:
            streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=prefix)["logStreams"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [
            event["message"]
            for stream in streams
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])[
                "events"
            ]
        ]

    def _ended(self, describe: Callable[[], dict[str, Any]], status: str) -> dict[str, Any]:
        moving = ("InProgress", "Stopping", "Executing", "Creating", "Updating", "RollingBack", "Deleting")

        def probe() -> dict[str, Any] | None:
            found = describe()
            return None if found[status] in moving else found

        return wait_for(probe, status)


def source(uri: str, path: str, name: str = "dataset") -> dict[str, Any]:
    """A processing input."""
    s3 = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": s3}


def target(uri: str, path: str, name: str) -> dict[str, Any]:
    """A processing output."""
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}}


def training(data: Any, role: str) -> dict[str, Any]:
    """Arguments of CreateTrainingJob, but for the name."""
    s3 = {"S3DataType": "S3Prefix", "S3Uri": data, "S3DataDistributionType": "FullyReplicated"}
    return {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": s3}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
