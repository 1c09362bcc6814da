"""The release state machine, in Amazon States Language with JSONPath.

It verifies an approved package, makes its model and endpoint configuration, puts them on the
endpoint, waits, and believes only what the endpoint then says it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.serving import CSV, JSON, JSON_LINES, MODEL_VERSION_VARIABLE
from infra.release_scaling import Scaling
from infra.settings.environment import Release, Serving

VARIANT = "live"
"""The variant's name, the same in every configuration: metrics and canary releases need it to be."""

State = dict[str, Any]
States = dict[str, State]

_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")

_KEEP_INSTANCES = {
    "RetainAllVariantProperties": True,
    "ExcludeRetainedVariantProperties": [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ],
}
"""An update keeps the number of instances that autoscaling came to, not what the endpoint began with."""


def _retry(*errors: str) -> list[State]:
    return [{"ErrorEquals": list(errors), "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2}]


_RETRY_LAMBDA = _retry(
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
# The SDK integration tells SageMaker's throttling and its refusals by one name.
_RETRY_SAGEMAKER = _retry("SageMaker.SageMakerException", "SageMaker.ThrottlingException")
_RETRY_SSM = _retry("Ssm.SsmException", "Ssm.TooManyUpdatesException")


@dataclass(frozen=True, kw_only=True)
class Capture:
    """How much of what clients ask is kept, and where."""

    percent: int
    uri: str

    def to_dict(self, key_arn: str) -> dict[str, Any]:
        """The DataCaptureConfig: requests and answers as text, encrypted with a key."""
        return {
            "EnableCapture": self.percent > 0,
            "InitialSamplingPercentage": self.percent,
            "DestinationS3Uri": self.uri,
            "KmsKeyId": key_arn,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            # Of any other type SageMaker keeps Base64.
            "CaptureContentTypeHeader": {"CsvContentTypes": [CSV], "JsonContentTypes": [JSON, JSON_LINES]},
        }


@dataclass(frozen=True, kw_only=True)
class ReleaseDefinition:
    """The state machine of one endpoint. Its input is a "SageMaker Model Package State Change"."""

    verify_function_arn: str
    endpoint: str
    serving_role_arn: str
    key_arn: str
    live_parameter: str
    model: str
    serving: Serving
    scaling: Scaling | None
    """None for a serverless endpoint, which SageMaker scales, and of which it captures nothing."""
    capture: Capture | None
    release: Release

    def to_dict(self) -> dict[str, Any]:
        """The whole definition."""
        return {
            "Comment": f"Releases an approved version of {self.model} to {self.endpoint}",
            "TimeoutSeconds": self.release.timeout_minutes * 60,
            "StartAt": "Verify",
            "States": {
                **self._make(),
                **(self.scaling.stop(then="LookForEndpoint") if self.scaling else {}),
                **self._find_endpoint(),
                **self._put_on_endpoint(),
                **self._wait_until_at_rest(),
                **(self.scaling.start(then="IsItLive") if self.scaling else {}),
                **self._confirm(),
                **self._record(),
            },
        }

    def _make(self) -> States:
        """A verified package becomes a model and an endpoint configuration."""
        return {
            "Verify": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {
                    "FunctionName": self.verify_function_arn,
                    "Payload": {
                        "model_package_arn.$": "$.detail.ModelPackageArn",
                        "execution.$": "$$.Execution.Name",
                    },
                },
                "OutputPath": "$.Payload",
                "Retry": _RETRY_LAMBDA,
                "Next": "CreateModel",
            },
            "CreateModel": _sagemaker("createModel", self._model(), then="CreateEndpointConfig"),
            "CreateEndpointConfig": _sagemaker(
                "createEndpointConfig",
                self._configuration(),
                then="StopScaling" if self.scaling else "LookForEndpoint",
            ),
        }

    def _model(self) -> dict[str, Any]:
        return {
            "ModelName.$": "$.model_name",
            "ExecutionRoleArn": self.serving_role_arn,
            "EnableNetworkIsolation": self.scaling is not None,
            "PrimaryContainer": {
                "ModelPackageName.$": "$.model_package_arn",
                "Environment": {f"{MODEL_VERSION_VARIABLE}.$": "$.model_version"},
            },
        }

    def _configuration(self) -> dict[str, Any]:
        variant = {
            "VariantName": VARIANT,
            "ModelName.$": "$.model_name",
            "InitialVariantWeight": 1,
            **self._size(),
        }
        return {
            "EndpointConfigName.$": "$.endpoint_config_name",
            "KmsKeyId": self.key_arn,
            "ProductionVariants": [variant],
            **({"DataCaptureConfig": self.capture.to_dict(self.key_arn)} if self.capture else {}),
        }

    def _size(self) -> dict[str, Any]:
        if self.scaling:
            return {
                "InstanceType": self.serving.instance_type,
                "InitialInstanceCount": self.serving.min_instances,
            }
        return {
            "ServerlessConfig": {
                "MemorySizeInMB": self.serving.serverless_memory_mib,
                "MaxConcurrency": self.serving.serverless_max_concurrency,
            }
        }

    def _find_endpoint(self) -> States:
        """Does the endpoint exist? SageMaker has no error of its own for one that does not."""
        cause = "$.error.Cause"
        missing = {"Variable": cause, "StringMatches": "*Could not find endpoint*", "Next": "CreateEndpoint"}
        throttled = {"Variable": cause, "StringMatches": "*Rate exceeded*", "Next": "WaitForOthers"}
        look = self._describe(then="MayItBeUpdated")
        del look["Retry"]
        return {
            "LookForEndpoint": {
                **look,
                "Catch": [
                    {"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "WhyNotFound"}
                ],
            },
            "WhyNotFound": {"Type": "Choice", "Choices": [missing, throttled], "Default": "EndpointUnknown"},
            "EndpointUnknown": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": cause},
        }

    def _put_on_endpoint(self) -> States:
        """Create or update the endpoint, once nobody else is at it."""
        put = {"EndpointName": self.endpoint, "EndpointConfigName.$": "$.endpoint_config_name"}
        return {
            "MayItBeUpdated": {
                "Type": "Choice",
                "Choices": [
                    _when("InService", "UpdateEndpoint"),
                    # A failed endpoint serves nothing, and can only be deleted.
                    _when("Failed", "DeleteFailedEndpoint"),
                    *(_when(status, "WaitForOthers") for status in _BUSY),
                ],
                "Default": "EndpointNotUsable",
            },
            "WaitForOthers": self._wait(then="LookForEndpoint"),
            "DeleteFailedEndpoint": _sagemaker(
                "deleteEndpoint", {"EndpointName": self.endpoint}, then="WaitForOthers"
            ),
            "EndpointNotUsable": _fail(
                "EndpointNotUsable",
                "The endpoint's status is one that cannot be updated: describe-endpoint says why",
            ),
            "CreateEndpoint": _sagemaker("createEndpoint", put, then="Wait"),
            "UpdateEndpoint": {
                **_sagemaker(
                    "updateEndpoint", {**put, **(_KEEP_INSTANCES if self.scaling else {})}, then="Wait"
                ),
                # Whatever serves then is to be scaled again, before the release fails for not being live.
                "Catch": [{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "Wait"}],
            },
        }

    def _wait_until_at_rest(self) -> States:
        """Scaling is off until then: SageMaker takes one change of an endpoint at a time."""
        return {
            "Wait": self._wait(then="DescribeEndpoint"),
            "DescribeEndpoint": self._describe(then="IsItAtRest"),
            "IsItAtRest": {
                "Type": "Choice",
                "Choices": [
                    _when("InService", "StartScaling" if self.scaling else "IsItLive"),
                    *(_when(status, "Wait") for status in _BUSY),
                ],
                "Default": "NotLive",
            },
        }

    def _confirm(self) -> States:
        """In service with another configuration is what a silent roll-back looks like."""
        ours = {
            "Variable": "$.endpoint.EndpointConfigName",
            "StringEqualsPath": "$.endpoint_config_name",
        }
        return {
            "IsItLive": {
                "Type": "Choice",
                "Choices": [{**ours, "Next": "NoteVersion"}],
                "Default": "NotLive",
            },
            "NotLive": _fail(
                "NotLive",
                "The endpoint does not run the new configuration: the update was refused, or failed and was "
                "rolled back, or another release came between. Whatever ran before still serves",
            ),
        }

    def _record(self) -> States:
        """Say in one parameter which version is live."""
        return {
            "NoteVersion": {
                "Type": "Pass",
                "Parameters": {
                    "model_version.$": "$.model_version",
                    "model_package_arn.$": "$.model_package_arn",
                    "endpoint": self.endpoint,
                    "endpoint_config.$": "$.endpoint_config_name",
                    "model": self.model,
                    "model_name.$": "$.model_name",
                    "released_at.$": "$$.State.EnteredTime",
                },
                "Next": "RecordVersion",
            },
            "RecordVersion": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:ssm:putParameter",
                "Parameters": {
                    "Name": self.live_parameter,
                    "Type": "String",
                    "Overwrite": True,
                    "Value.$": "States.JsonToString($)",
                },
                "Retry": _RETRY_SSM,
                "End": True,
            },
        }

    def _describe(self, *, then: str) -> State:
        kept = ("EndpointStatus", "EndpointConfigName")
        return {
            **_sagemaker("describeEndpoint", {"EndpointName": self.endpoint}, then=then),
            "ResultSelector": {f"{name}.$": f"$.{name}" for name in kept},
            "ResultPath": "$.endpoint",
        }

    def _wait(self, *, then: str) -> State:
        return {"Type": "Wait", "Seconds": self.release.poll_seconds, "Next": then}


def _sagemaker(action: str, parameters: dict[str, Any], *, then: str) -> State:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:sagemaker:{action}",
        "Parameters": parameters,
        "ResultPath": "$.answer",  # beside what is known; CDK drops a null, which would discard it
        "Retry": _RETRY_SAGEMAKER,
        "Next": then,
    }


def _is(status: str) -> State:
    return {"Variable": "$.endpoint.EndpointStatus", "StringEquals": status}


def _when(status: str, then: str) -> State:
    return {**_is(status), "Next": then}


def _fail(error: str, cause: str) -> State:
    return {"Type": "Fail", "Error": error, "Cause": cause}
