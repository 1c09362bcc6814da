"""The part of a release that puts a model on the endpoint.

It makes an endpoint configuration, puts it on the endpoint, waits, and believes only what the
endpoint then says it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.serving import CSV, JSON, JSON_LINES
from infra.release_scaling import Scaling
from infra.settings.environment import Serving
from infra.states import RETRY_SAGEMAKER, State, States, call, fail

VARIANT = "live"
"""The variant's name, the same in every configuration: metrics and canary releases need it to be."""

_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")

_KEEP_INSTANCES = {
    "RetainAllVariantProperties": True,
    "ExcludeRetainedVariantProperties": [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ],
}
"""An update keeps the number of instances that autoscaling came to, not what the endpoint began with."""


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
class EndpointStates:
    """States that put the model of `$.model_name` on one endpoint."""

    name: str
    key_arn: str
    serving: Serving
    scaling: Scaling | None
    """None for a serverless endpoint, which SageMaker scales, and of which it captures nothing."""
    capture: Capture | None
    poll_seconds: int

    first = "CreateEndpointConfig"

    def to_dict(self, *, then: str) -> States:
        """All of them; the endpoint serves the model when `then` is reached."""
        return {
            **self._configure(),
            **(self.scaling.stop(then="LookForEndpoint") if self.scaling else {}),
            **self._find(),
            **self._put(),
            **self._wait_until_at_rest(),
            **(self.scaling.start(then="IsItLive") if self.scaling else {}),
            **self._confirm(then=then),
        }

    def _configure(self) -> States:
        then = "StopScaling" if self.scaling else "LookForEndpoint"
        return {self.first: _sagemaker("createEndpointConfig", self._configuration(), then=then)}

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

    def _find(self) -> States:
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

    def _put(self) -> States:
        """Create or update the endpoint, once nobody else is at it."""
        put = {"EndpointName": self.name, "EndpointConfigName.$": "$.endpoint_config_name"}
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
                "deleteEndpoint", {"EndpointName": self.name}, then="WaitForOthers"
            ),
            "EndpointNotUsable": fail(
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

    def _confirm(self, *, then: str) -> States:
        """In service with another configuration is what a silent roll-back looks like."""
        ours = {
            "Variable": "$.endpoint.EndpointConfigName",
            "StringEqualsPath": "$.endpoint_config_name",
        }
        return {
            "IsItLive": {
                "Type": "Choice",
                "Choices": [{**ours, "Next": then}],
                "Default": "NotLive",
            },
            "NotLive": fail(
                "NotLive",
                "The endpoint does not run the new configuration: the update was refused, or failed and was "
                "rolled back, or another release came between. Whatever ran before still serves",
            ),
        }

    def _describe(self, *, then: str) -> State:
        kept = ("EndpointStatus", "EndpointConfigName")
        return {
            **_sagemaker("describeEndpoint", {"EndpointName": self.name}, then=then),
            "ResultSelector": {f"{name}.$": f"$.{name}" for name in kept},
            "ResultPath": "$.endpoint",
        }

    def _wait(self, *, then: str) -> State:
        return {"Type": "Wait", "Seconds": self.poll_seconds, "Next": then}


def _sagemaker(action: str, parameters: dict[str, Any], *, then: str) -> State:
    return call(f"sagemaker:{action}", parameters, then=then, retry=RETRY_SAGEMAKER)


def _when(status: str, then: str) -> State:
    return {"Variable": "$.endpoint.EndpointStatus", "StringEquals": status, "Next": then}
