"""AWS::SageMaker::Pipeline and AWS::SageMaker::ModelPackageGroup for CloudFormation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ministack.services.cloudformation import provisioners

from local.sagemaker.errors import ServiceError
from local.sagemaker.service import Service

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]

_PIPELINE = "AWS::SageMaker::Pipeline"
_GROUP = "AWS::SageMaker::ModelPackageGroup"


def register(service: Service) -> None:
    """Let stacks have the two types."""
    provisioners._RESOURCE_HANDLERS[_PIPELINE] = _PipelineType(service).handlers()
    provisioners._RESOURCE_HANDLERS[_GROUP] = _GroupType(service).handlers()
    for kind in (_PIPELINE, _GROUP):
        provisioners._STACK_TAG_PROPERTY[kind] = ("Tags", "list")
    provisioners._REPLACING_PROPERTIES[_PIPELINE] = ("PipelineName",)
    provisioners._REPLACING_PROPERTIES[_GROUP] = ("ModelPackageGroupName", "ModelPackageGroupDescription")


class _Type(ABC):
    """A resource type. CloudFormation refers to both types by name and reports a refusal as ours."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def handlers(self) -> dict[str, Any]:
        """What the provisioner calls."""
        return {"create": self.create, "update": self.update, "delete": self.delete}

    @abstractmethod
    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Created:
        """Make one; its name and attributes."""

    @abstractmethod
    def update(self, name: str, old: Properties, new: Properties, _stack: str) -> Created:
        """Change one; its name and attributes."""

    @abstractmethod
    def delete(self, name: str, _properties: Properties) -> None:
        """Remove one, if it is there."""

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._service.call(operation, {k: v for k, v in arguments.items() if v is not None})
        except ServiceError as error:
            raise ValueError(
                f"{error.message} (Service: SageMaker, Status Code: {error.status}, {error.code})"
            ) from error

    def _delete(self, operation: str, arguments: Mapping[str, Any], missing: str) -> None:
        try:
            self._service.call(operation, arguments)
        except ServiceError as error:
            if missing not in error.message:  # what is gone already need not be deleted
                raise ValueError(error.message) from error

    def _retag(self, arn: str, old: Properties, new: Properties) -> None:
        before, after = _tags(old), _tags(new)
        if gone := sorted(before.keys() - after.keys()):
            self._call("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
        if after:
            self._call(
                "AddTags", {"ResourceArn": arn, "Tags": [{"Key": k, "Value": v} for k, v in after.items()]}
            )


class _PipelineType(_Type):
    """Ref is the pipeline's name. The type has no attributes."""

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Created:
        arguments = {**_pipeline(properties), "ClientRequestToken": _token(), "Tags": properties.get("Tags")}
        self._call("CreatePipeline", arguments)
        return properties["PipelineName"], {}

    def update(self, name: str, old: Properties, new: Properties, _stack: str) -> Created:
        arn = self._call("UpdatePipeline", _pipeline(new))["PipelineArn"]
        self._retag(arn, old, new)
        return name, {}

    def delete(self, name: str, _properties: Properties) -> None:
        self._delete(
            "DeletePipeline", {"PipelineName": name, "ClientRequestToken": _token()}, "does not exist"
        )


class _GroupType(_Type):
    """Ref is the group's ARN, which is also an attribute of it."""

    def create(self, _logical_id: str, properties: Properties, _stack: str) -> Created:
        return _group(
            self._call("CreateModelPackageGroup", properties)["ModelPackageGroupArn"], self._service
        )

    def update(self, name: str, old: Properties, new: Properties, _stack: str) -> Created:
        self._retag(name, old, new)
        return _group(name, self._service)

    def delete(self, name: str, _properties: Properties) -> None:
        self._delete("DeleteModelPackageGroup", {"ModelPackageGroupName": name}, "does not exist")


def _pipeline(properties: Properties) -> dict[str, Any]:
    definition = properties["PipelineDefinition"]
    body, location = definition.get("PipelineDefinitionBody"), definition.get("PipelineDefinitionS3Location")
    steps = properties.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps")
    return {
        "PipelineName": properties["PipelineName"],
        "PipelineDisplayName": properties.get("PipelineDisplayName"),
        "PipelineDescription": properties.get("PipelineDescription"),
        "PipelineDefinition": body,
        "PipelineDefinitionS3Location": location,
        "RoleArn": properties["RoleArn"],
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": int(steps)} if steps else None,
    }


def _group(arn: str, service: Service) -> Created:
    record = service.call("DescribeModelPackageGroup", {"ModelPackageGroupName": arn})
    return arn, {
        "ModelPackageGroupArn": arn,
        "ModelPackageGroupStatus": record["ModelPackageGroupStatus"],
        "CreationTime": record["CreationTime"].isoformat(),
    }


def _tags(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}


def _token() -> str:
    """CloudFormation calls once, so each call is a request of its own."""
    return str(uuid4())
