"""The release state machine, in Amazon States Language with JSONPath.

It verifies an approved package, makes its model, has the endpoint serve it where the model
has one, and records which version is live.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.names.jobs import Variable
from contract.names.live import Approved, Live
from infra.kit.asl import OVERTAKEN, RETRY_SAGEMAKER, State, States, again, call, made_once
from infra.release.endpoint import EndpointStates
from infra.release.endpoint_deletion import EndpointDeletion
from infra.settings.environment import ReleaseSettings

_RETRY_LAMBDA = again(
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Transient",
)
"""The last is the function's own error, of `adapters.errors`: Lambda reports it by its class's name."""

_KEPT = (Live.MODEL_VERSION, Live.MODEL_PACKAGE_ARN, Live.MODEL_NAME, Live.APPROVED_AT)
"""Of what `verify_package` says, what is recorded."""

_RETRY_SSM = again("Ssm.SsmException", "Ssm.SdkClientException", "Ssm.TooManyUpdatesException")


@dataclass(frozen=True, kw_only=True)
class ReleaseDefinition:
    """The state machine of one model. Its input is a "SageMaker Model Package State Change"."""

    verify_function_arn: str
    serving_role_arn: str
    live_parameter: str
    model: str
    isolated: bool
    """True if the model's container has no network."""
    endpoint: EndpointStates | None
    """None for a model that only the batch path scores with."""
    endpoint_deletion: EndpointDeletion | None
    """Deletes an endpoint of earlier days, where there is to be none."""
    release: ReleaseSettings

    def to_dict(self) -> dict[str, Any]:
        """The whole definition."""
        return {
            "Comment": f"Releases an approved version of {self.model}",
            "TimeoutSeconds": self.release.timeout_minutes * 60,
            "StartAt": "Verify",
            "States": {
                **self._make(then=self.endpoint.first if self.endpoint else "ReadLive"),
                **(self.endpoint.to_dict(then="NoteVersion") if self.endpoint else self._look()),
                **self._record(then=self.endpoint_deletion.first if self.endpoint_deletion else None),
                **(self.endpoint_deletion.to_dict() if self.endpoint_deletion else {}),
            },
        }

    def _make(self, *, then: str) -> States:
        """A verified package becomes a model."""
        model = {
            "ModelName.$": f"$.{Live.MODEL_NAME}",
            "ExecutionRoleArn": self.serving_role_arn,
            "EnableNetworkIsolation": self.isolated,
            "PrimaryContainer": {
                "ModelPackageName.$": f"$.{Live.MODEL_PACKAGE_ARN}",
                "Environment": {f"{Variable.MODEL_VERSION}.$": f"$.{Live.MODEL_VERSION}"},
            },
        }
        return {
            "Verify": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {
                    "FunctionName": self.verify_function_arn,
                    "Payload": {
                        f"{Live.MODEL_PACKAGE_ARN}.$": "$.detail.ModelPackageArn",
                        f"{Live.APPROVED_AT}.$": "$.time",
                        f"{Approved.EXECUTION}.$": "$$.Execution.Name",
                    },
                },
                "OutputPath": "$.Payload",
                "Retry": _RETRY_LAMBDA,
                "Next": "CreateModel",
            },
            **made_once(
                "CreateModel", call("sagemaker:createModel", model, then=then, retry=RETRY_SAGEMAKER)
            ),
        }

    def _look(self) -> States:
        """Is a later approval live? Without an endpoint, only what was recorded says so."""
        read = call("ssm:getParameter", {"Name": self.live_parameter}, then="IsItOvertaken", retry=_RETRY_SSM)
        later = {
            "Variable": f"$.live.version.{Live.MODEL_NAME}",
            "StringGreaterThanEqualsPath": f"$.{Approved.APPROVAL}",
            "Next": "Overtaken",
        }
        none = {"ErrorEquals": ["Ssm.ParameterNotFoundException"], "ResultPath": "$.live"}
        return {
            "ReadLive": {
                **read,
                "ResultSelector": {"version.$": "States.StringToJson($.Parameter.Value)"},
                "ResultPath": "$.live",
                "Catch": [{**none, "Next": "NoteVersion"}],
            },
            "IsItOvertaken": {"Type": "Choice", "Choices": [later], "Default": "NoteVersion"},
            "Overtaken": OVERTAKEN,
        }

    def _record(self, *, then: str | None) -> States:
        """Say in one parameter which version is live."""
        endpoint: State = (
            {
                Live.ENDPOINT: self.endpoint.name,
                f"{Live.ENDPOINT_CONFIG}.$": f"$.{Approved.ENDPOINT_CONFIG_NAME}",
            }
            if self.endpoint
            else {}
        )
        return {
            "NoteVersion": {
                "Type": "Pass",
                "Parameters": {
                    **{f"{kept}.$": f"$.{kept}" for kept in _KEPT},
                    **endpoint,
                    Live.MODEL: self.model,
                    f"{Live.RELEASED_AT}.$": "$$.State.EnteredTime",
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
                "ResultPath": "$.answer",
                "Retry": _RETRY_SSM,
                **({"Next": then} if then else {"End": True}),
            },
        }
