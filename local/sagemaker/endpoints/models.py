"""Models: what a model server runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.cloud.seam import AccessDeniedError
from local.sagemaker import refuse, storage
from local.sagemaker.errors import invalid
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.state import MODEL, MODEL_PACKAGE, Kind, Record, State


@dataclass(frozen=True, kw_only=True)
class Container:
    """What a model server runs: its image (a name only), where its artifact is, and its variables."""

    image: str
    model_data_url: str
    environment: Mapping[str, str]


def container_of(state: State, model: Mapping[str, Any]) -> Container:
    """The container of a model, through its model package where it names one."""
    primary = model.get("PrimaryContainer") or model["Containers"][0]
    found = primary
    if package := primary.get("ModelPackageName"):
        found = state.get(MODEL_PACKAGE, package)["InferenceSpecification"]["Containers"][0]
    return Container(
        image=found["Image"],
        model_data_url=found["ModelDataUrl"],
        environment={**found.get("Environment", {}), **primary.get("Environment", {})},
    )


def added(state: State, kind: Kind, call: Call, members: Mapping[str, Any]) -> Record:
    """The new record of what a request creates, with its tags."""
    record = state.add(kind, call[kind.name_member], {**call.arguments, **members})
    state.tags[record[kind.arn_member]] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
    return record


def deletion(state: State, kind: Kind) -> Operation:
    """The operation that forgets a resource."""

    def delete(call: Call) -> dict[str, Any]:
        state.remove(kind, call[kind.name_member])
        return {}

    return delete


class Models:
    """The operations on models."""

    def __init__(self, backend: Backend) -> None:
        self._cloud = backend.cloud
        self._state = backend.state

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {
            "CreateModel": self._create_model,
            "DeleteModel": deletion(self._state, MODEL),
        }

    def _create_model(self, call: Call) -> dict[str, Any]:
        refuse.beyond(call.arguments, "VpcConfig", "InferenceExecutionConfig")
        containers = (
            [call["PrimaryContainer"]] if "PrimaryContainer" in call.arguments else call.get("Containers", [])
        )
        refuse.unless(len(containers), "the number of containers", 1)
        refuse.beyond(
            containers[0],
            "AdditionalModelDataSources",
            "ContainerMetricsConfig",
            "ImageConfig",
            "InferenceSpecificationName",
            "ModelDataSource",
            "MultiModelConfig",
        )
        refuse.unless(containers[0].get("Mode"), "Mode", "SingleModel")
        self._check_source(call, containers[0])
        role = call.get("ExecutionRoleArn")
        if role is None:
            raise invalid("ExecutionRoleArn must be provided: the model's artifact is read with it.")
        call.require_pass_role(role)
        self._check_artifact(role, container_of(self._state, call.arguments).model_data_url)
        isolated = {"EnableNetworkIsolation": call.get("EnableNetworkIsolation", False)}
        return {"ModelArn": added(self._state, MODEL, call, isolated)["ModelArn"]}

    def _check_source(self, call: Call, container: Mapping[str, Any]) -> None:
        if ("Image" in container) == ("ModelPackageName" in container):
            raise invalid("A container must have exactly one of Image and ModelPackageName.")
        if "Image" in container:
            if "ModelDataUrl" not in container:
                raise invalid("A container with an Image must have a ModelDataUrl.")
            return
        package = self._state.get(MODEL_PACKAGE, container["ModelPackageName"])
        # AWS's own least-privilege policies name the package beside the model; the reference names the model.
        call.require("sagemaker:CreateModel", package["ModelPackageArn"])
        call.require("sagemaker:DescribeModelPackage", package["ModelPackageArn"])
        status = package.get("ModelApprovalStatus", "Approved")
        if status != "Approved":
            raise invalid(
                f"Model package {package['ModelPackageArn']} cannot be deployed: "
                f"its approval status is {status}."
            )

    def _check_artifact(self, role: str, url: str) -> None:
        bucket, key = storage.parse(url)
        try:
            credentials = self._cloud.credentials_for(role, "sagemaker.amazonaws.com")
            self._cloud.client("s3", credentials).head_object(Bucket=bucket, Key=key)
        except (AccessDeniedError, ClientError) as error:
            raise invalid(
                f'Could not access model data at {url}. Please ensure that the role "{role}" exists and that '
                'its trust relationship policy allows the action "sts:AssumeRole" for the service principal '
                '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and '
                f"that the object is located in {self._cloud.region}."
            ) from error
