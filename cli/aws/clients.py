"""AWS clients of one environment, made when they are first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

FUNCTION_SECONDS = 900
"""The longest that a Lambda function may run."""


@dataclass(frozen=True)
class Aws:
    """Clients of one environment's AWS. `options` go to every client."""

    environment: str
    session: boto3.Session
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self.session.client("cloudformation", **self.options)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return self.session.client("cloudwatch", **self.options)

    @cached_property
    def functions(self) -> LambdaClient:
        # A function may take its time, and one that was asked twice starts twice.
        patient = Config(read_timeout=FUNCTION_SECONDS, retries={"total_max_attempts": 1})
        return self.session.client("lambda", config=patient, **self.options)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self.session.client("logs", **self.options)

    @cached_property
    def s3(self) -> S3Client:
        return self.session.client("s3", **self.options)

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return self.session.client("sagemaker", **self.options)

    @cached_property
    def sqs(self) -> SQSClient:
        return self.session.client("sqs", **self.options)

    @cached_property
    def ssm(self) -> SSMClient:
        return self.session.client("ssm", **self.options)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        return self.session.client("stepfunctions", **self.options)
