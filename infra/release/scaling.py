"""Autoscaling of the endpoint within its release: why it is not in the template is decision 0005."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.settings.environment import ServingSettings

POLICY = "invocations-per-instance"

_RETRY = {
    "ErrorEquals": [
        "ApplicationAutoScaling.ApplicationAutoScalingException",
        "ApplicationAutoScaling.ConcurrentUpdateException",
        "ApplicationAutoScaling.InternalServiceException",
        "ApplicationAutoScaling.SdkClientException",
        # SageMaker may still be busy with the last activity when it says that it is in service.
        "ApplicationAutoScaling.ValidationException",
    ],
    "IntervalSeconds": 2,
    "MaxAttempts": 4,
    "BackoffRate": 2,
}
_NOT_REGISTERED = "ApplicationAutoScaling.ObjectNotFoundException"


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Target tracking of one variant: how many instances it may have, and how many requests each takes."""

    endpoint: str
    variant: str
    invocations_per_instance: int
    """A minute."""
    serving: ServingSettings

    def stop(self, *, then: str) -> dict[str, Any]:
        """States, beginning with "StopScaling", that take autoscaling off the variant, policy and all."""
        unregistered = {"ErrorEquals": [_NOT_REGISTERED], "ResultPath": "$.error", "Next": then}
        return {"StopScaling": {**self._task("deregisterScalableTarget", {}, then), "Catch": [unregistered]}}

    def start(self, *, then: str) -> dict[str, Any]:
        """States, beginning with "StartScaling", that put autoscaling on the variant, which exists."""
        limits = {"MinCapacity": self.serving.min_instances, "MaxCapacity": self.serving.max_instances}
        policy = {
            "PolicyName": POLICY,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": self.invocations_per_instance,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                },
                "ScaleOutCooldown": self.serving.scale_out_seconds,
                "ScaleInCooldown": self.serving.scale_in_seconds,
            },
        }
        return {
            "StartScaling": self._task("registerScalableTarget", limits, "PutScalingPolicy"),
            "PutScalingPolicy": self._task("putScalingPolicy", policy, then),
        }

    def _task(self, action: str, parameters: dict[str, Any], then: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"arn:aws:states:::aws-sdk:applicationautoscaling:{action}",
            "Parameters": {
                "ServiceNamespace": "sagemaker",
                "ResourceId": f"endpoint/{self.endpoint}/variant/{self.variant}",
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                **parameters,
            },
            "ResultPath": "$.answer",
            "Retry": [_RETRY],
            "Next": then,
        }
