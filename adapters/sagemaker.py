"""SageMaker, as `ModelServer`, `Pipeline` and `Registry` of `adapters.ports`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.clients import client, translated
from adapters.errors import NotFound
from adapters.ports import Response
from contract import serving

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


@dataclass(frozen=True)
class Endpoint:
    """A real-time endpoint, with instances or serverless: `max_bytes` is what SageMaker lets through."""

    name: str
    max_bytes: int
    client: SageMakerRuntimeClient = field(default_factory=partial(client, "sagemaker-runtime"), repr=False)

    def predict(self, body: bytes, content_type: str) -> Response:
        accept = serving.JSON_LINES if content_type in serving.ROW_TYPES else content_type
        with translated("InvokeEndpoint"):
            response = self.client.invoke_endpoint(
                EndpointName=self.name,
                ContentType=content_type,
                Accept=accept,
                CustomAttributes=f"{serving.MAX_ANSWER}{self.max_bytes}",
                Body=body,
            )
            attributes = serving.Attributes.parse(response.get("CustomAttributes", ""))
            return Response(body=response["Body"].read(), **asdict(attributes))


@dataclass(frozen=True)
class TrainingPipeline:
    """A SageMaker pipeline whose runs are named by what they are made of."""

    name: str
    client: SageMakerClient = field(default_factory=partial(client, "sagemaker"), repr=False)

    def start(self, run_id: str, parameters: Mapping[str, str]) -> str:
        with translated("StartPipelineExecution"):
            response = self.client.start_pipeline_execution(
                PipelineName=self.name,
                ClientRequestToken=run_id,
                PipelineExecutionDisplayName=f"run-{run_id[:12]}",
                PipelineParameters=[{"Name": name, "Value": value} for name, value in parameters.items()],
            )
        return response["PipelineExecutionArn"]

    def is_running(self, execution_arn: str) -> bool:
        try:
            with translated("DescribePipelineExecution"):
                execution = self.client.describe_pipeline_execution(PipelineExecutionArn=execution_arn)
        except NotFound:
            return False
        return execution["PipelineExecutionStatus"] in ("Executing", "Stopping")


@dataclass(frozen=True)
class ModelRegistry:
    """The account's model packages."""

    client: SageMakerClient = field(default_factory=partial(client, "sagemaker"), repr=False)

    def made_of(self, group: str, origin: Mapping[str, str]) -> str:
        pages = self.client.get_paginator("list_model_packages")
        with translated("ListModelPackages"):
            listed = pages.paginate(
                ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
            )
            arns = [
                package["ModelPackageArn"] for page in listed for package in page["ModelPackageSummaryList"]
            ]
        return next((arn for arn in arns if origin.items() <= self._origin(arn).items()), "")

    def _origin(self, model_package_arn: str) -> Mapping[str, str]:
        origin: Mapping[str, str] = self.describe(model_package_arn).get("CustomerMetadataProperties", {})
        return origin

    def describe(self, model_package_arn: str) -> Mapping[str, Any]:
        with translated("DescribeModelPackage"):
            return self.client.describe_model_package(ModelPackageName=model_package_arn)
