"""The deletion of the endpoint of a model that is to have none any more."""

from __future__ import annotations

from dataclasses import dataclass

from infra.kit.asl import States, call, fail, passing
from infra.release.scaling import Scaling


@dataclass(frozen=True, kw_only=True)
class EndpointDeletion:
    """States that delete an endpoint, and its autoscaling, where there is one.

    The template does not know the endpoint, which a release made: nobody else would delete it.
    """

    endpoint: str
    scaling: Scaling
    poll_seconds: int

    first = "StopScaling"

    def to_dict(self) -> States:
        """All of them; the last of each way ends the execution."""
        missing = {
            "Variable": "$.error.Cause",
            "StringMatches": "*Could not find endpoint*",
            "Next": "NoEndpoint",
        }
        named = {"EndpointName": self.endpoint}
        failed = {"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "WhyNotDeleted"}
        return {
            **self.scaling.stop(then="DeleteEndpoint"),
            "DeleteEndpoint": {
                **call("sagemaker:deleteEndpoint", named, then="NoEndpoint", retry=[]),
                "Catch": [failed],
            },
            "WhyNotDeleted": {
                "Type": "Choice",
                "Choices": [missing, *passing("WaitToDelete")],
                "Default": "EndpointNotDeleted",
            },
            "WaitToDelete": {"Type": "Wait", "Seconds": self.poll_seconds, "Next": "DeleteEndpoint"},
            "EndpointNotDeleted": fail(
                "EndpointNotDeleted",
                "The new version is live, but the endpoint of earlier days could not be deleted and is paid "
                "for: delete-endpoint says why",
            ),
            "NoEndpoint": {"Type": "Succeed"},
        }
