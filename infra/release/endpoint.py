"""The part of a release that puts a model on the endpoint.

It makes an endpoint configuration, puts it on the endpoint, waits, and believes only what the
endpoint then says it runs.

Two approvals may be under way at once, and their events may come late, twice or in another order. The
newest approval wins: configurations are named so that a later approval's name sorts after an earlier
one's, and the endpoint, which takes one update at a time, says which one it runs. So an execution
describes the endpoint before each update, and again where its update was refused because another one came
first.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract.names.live import Approved
from infra.kit.asl import OVERTAKEN, RETRY_SAGEMAKER, State, States, call, fail, made_once, passing
from infra.release.endpoint_configuration import EndpointConfiguration
from infra.release.scaling import Scaling

_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")

_KEEP_INSTANCES = {
    "RetainAllVariantProperties": True,
    "ExcludeRetainedVariantProperties": [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ],
}
"""An update keeps the number of instances that autoscaling came to, not what the endpoint began with."""

NOT_LIVE = "NotLive"
"""The error of an execution after which the endpoint does not run the new configuration."""

_TAKEN = ("*in-progress*", "*already existing*")
"""Causes of refusals after which to describe the endpoint again: another release came first."""

_OURS = {
    "Variable": "$.endpoint.EndpointConfigName",
    "StringEqualsPath": f"$.{Approved.ENDPOINT_CONFIG_NAME}",
}
_NOT_EARLIER = {
    "Variable": "$.endpoint.EndpointConfigName",
    "StringGreaterThanEqualsPath": f"$.{Approved.APPROVAL}",
}


@dataclass(frozen=True, kw_only=True)
class EndpointStates:
    """States that put the model of `$.model_name` on one endpoint."""

    name: str
    configuration: EndpointConfiguration
    scaling: Scaling | None
    """None for a serverless endpoint, which SageMaker scales."""
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
        make = _sagemaker("createEndpointConfig", self.configuration.to_dict(), then=then)
        return made_once(self.first, make)

    def _find(self) -> States:
        """Does the endpoint exist? SageMaker has no error of its own for one that does not."""
        missing = {"Variable": "$.error.Cause", "StringMatches": "*Could not find endpoint*"}
        return {
            "LookForEndpoint": _once(self._describe(then="MayItBeUpdated"), otherwise="WhyNotFound"),
            "WhyNotFound": {
                "Type": "Choice",
                "Choices": [{**missing, "Next": "CreateEndpoint"}, *_passing()],
                "Default": "EndpointRefused",
            },
            "EndpointRefused": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
        }

    def _put(self) -> States:
        """Create or update the endpoint, once nobody else is at it, unless it runs a later approval.

        Neither call is tried again before the endpoint is described again.
        """
        put = {"EndpointName": self.name, "EndpointConfigName.$": f"$.{Approved.ENDPOINT_CONFIG_NAME}"}
        update = {**put, **(_KEEP_INSTANCES if self.scaling else {})}
        return {
            "MayItBeUpdated": {
                "Type": "Choice",
                "Choices": [
                    {"And": [_is("InService"), _NOT_EARLIER], "Next": self._at_rest},
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
            "CreateEndpoint": _once(
                _sagemaker("createEndpoint", put, then="Wait"), otherwise="WhyNotCreated"
            ),
            "WhyNotCreated": {"Type": "Choice", "Choices": _passing(), "Default": "EndpointRefused"},
            "UpdateEndpoint": _once(
                _sagemaker("updateEndpoint", update, then="Wait"), otherwise="WhyNotUpdated"
            ),
            # Whatever serves then is to be scaled again, before the release fails for not being live.
            "WhyNotUpdated": {"Type": "Choice", "Choices": _passing(), "Default": "NoteRefusal"},
            "NoteRefusal": {
                "Type": "Pass",
                "InputPath": "$.error",
                "ResultPath": "$.refusal",
                "Next": "Wait",
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
                    _when("InService", self._at_rest),
                    *(_when(status, "Wait") for status in _BUSY),
                ],
                "Default": "WhyNotLive",
            },
        }

    def _confirm(self, *, then: str) -> States:
        """Detect a silent roll-back, which is in service with an earlier configuration."""
        return {
            "IsItLive": {
                "Type": "Choice",
                "Choices": [{**_OURS, "Next": then}, {**_NOT_EARLIER, "Next": "Overtaken"}],
                "Default": "WhyNotLive",
            },
            "Overtaken": OVERTAKEN,
            **self._explain(),
        }

    def _explain(self) -> States:
        """End as not live, in SageMaker's own words where it had any."""
        causes = {
            "UpdateRefused": ("$.refusal.Cause", "The update was refused"),
            "UpdateFailed": ("$.endpoint.FailureReason", "The update failed and was rolled back"),
        }
        return {
            "WhyNotLive": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": path, "IsPresent": True, "Next": name} for name, (path, _) in causes.items()
                ],
                "Default": "NotLive",
            },
            **{
                name: {
                    "Type": "Pass",
                    "Parameters": {
                        "cause.$": f"States.Format('{text}; whatever ran before still serves: {{}}', {path})"
                    },
                    "ResultPath": "$.not_live",
                    "Next": "NotLiveBecause",
                }
                for name, (path, text) in causes.items()
            },
            "NotLiveBecause": {"Type": "Fail", "Error": NOT_LIVE, "CausePath": "$.not_live.cause"},
            "NotLive": fail(
                NOT_LIVE,
                "The endpoint does not run the new configuration, and SageMaker does not say why; whatever "
                "ran before still serves",
            ),
        }

    @property
    def _at_rest(self) -> str:
        return "StartScaling" if self.scaling else "IsItLive"

    def _describe(self, *, then: str) -> State:
        return {
            **_sagemaker("describeEndpoint", {"EndpointName": self.name}, then=then),
            "ResultPath": "$.endpoint",
        }

    def _wait(self, *, then: str) -> State:
        return {"Type": "Wait", "Seconds": self.poll_seconds, "Next": then}


def _sagemaker(action: str, parameters: State, *, then: str) -> State:
    return call(f"sagemaker:{action}", parameters, then=then, retry=RETRY_SAGEMAKER)


def _once(state: State, *, otherwise: str) -> State:
    """The same, whose failure is examined instead of tried again."""
    caught = {"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": otherwise}
    return {**{name: value for name, value in state.items() if name != "Retry"}, "Catch": [caught]}


def _passing() -> list[State]:
    return passing("WaitForOthers", *_TAKEN)


def _is(status: str) -> State:
    return {"Variable": "$.endpoint.EndpointStatus", "StringEquals": status}


def _when(status: str, then: str) -> State:
    return {**_is(status), "Next": then}
