"""Looks at every scalable target once a second and sets its variant's number of instances."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.autoscaling import linked_role
from local.autoscaling.targets import Target, Targets
from local.autoscaling.tracking import Range, wanted
from local.cloud.seam import AccessDeniedError, Cloud

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
WINDOW_SECONDS = 10.0
"""What AWS's alarms take minutes for (3 to scale out, 15 to scale in) is measured over this here."""


class Scaler:
    """A thread that does by itself what AWS does by alarms."""

    def __init__(self, cloud: Cloud, targets: Targets) -> None:
        self._cloud = cloud
        self._targets = targets
        self._changed: dict[str, float] = {}
        self._sagemaker: Any = None

    def start(self) -> None:
        """Begin. It ends with the cloud."""
        threading.Thread(target=self._run, name="autoscaling", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Look at every target once. One that cannot be looked at now is so later, maybe."""
        for target in self._targets.all():
            try:
                self._look(target)
            except (AccessDeniedError, ClientError, BotoCoreError) as error:
                self._sagemaker = None  # its credentials may be too old
                logger.warning("autoscaling of %s: %s", target.record["ResourceId"], error)

    def _look(self, target: Target) -> None:
        endpoint, variant = target.endpoint_and_variant
        self._sagemaker = self._sagemaker or linked_role.sagemaker(self._cloud)
        try:
            described = self._sagemaker.describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            if "Could not find endpoint" not in str(error):
                raise
            # Deleting an endpoint deregisters its variants.
            self._targets.remove(target.record["ResourceId"])
            return
        found = {each["VariantName"]: each for each in described.get("ProductionVariants", [])}
        if described["EndpointStatus"] != "InService" or variant not in found:
            return  # scaling is blocked while an endpoint is being updated
        capacity = found[variant]["CurrentInstanceCount"]
        decided = self._decide(target, capacity)
        if decided != capacity:
            change = {"VariantName": variant, "DesiredInstanceCount": decided}
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=endpoint, DesiredWeightsAndCapacities=[change]
            )
            self._changed[target.record["ResourceId"]] = time.monotonic()
            logger.info("autoscaling: %s from %s to %s instances", endpoint, capacity, decided)

    def _decide(self, target: Target, capacity: int) -> int:
        """The greatest capacity that any policy wants, within the target's range and what is suspended."""
        limits = Range(minimum=target.record["MinCapacity"], maximum=target.record["MaxCapacity"])
        policies = [p["TargetTrackingScalingPolicyConfiguration"] for p in target.policies.values()]
        if policies and limits.minimum < limits.maximum:
            rate = self._rate(*target.endpoint_and_variant)
            since = time.monotonic() - self._changed.get(target.record["ResourceId"], float("-inf"))
            decided = limits.clamp(max(wanted(rate, capacity, policy, since) for policy in policies))
        else:
            decided = limits.clamp(capacity)
        suspended: dict[str, bool] = target.record["SuspendedState"]
        direction = "DynamicScalingOutSuspended" if decided > capacity else "DynamicScalingInSuspended"
        return capacity if suspended.get(direction) else decided

    def _rate(self, endpoint: str, variant: str) -> float:
        """Invocations per instance and minute, of late."""
        now = dt.datetime.now(dt.UTC)
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        points: list[dict[str, Any]] = self._cloud.client("cloudwatch", None).get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="InvocationsPerInstance",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - dt.timedelta(seconds=WINDOW_SECONDS),
            EndTime=now,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points)) * 60 / WINDOW_SECONDS
