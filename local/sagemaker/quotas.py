"""Instances that an account may have at a time, by type and use, on a strict cloud."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local.cloud.strictness import Strictness
from local.sagemaker.errors import ServiceError

Uses = Mapping[str, int]
"""Instances by use, such as "ml.m5.large for endpoint usage"."""


def use_of(instance_type: str, purpose: str) -> str:
    """The name of a quota: `purpose` is "training job", "endpoint" and so on."""
    return f"{instance_type} for {purpose} usage"


class Quotas:
    """Counts instances. Without strictness there are no limits."""

    def __init__(self, strictness: Strictness | None) -> None:
        self._strictness = strictness
        self._lock = threading.Lock()
        self._used: Counter[str] = Counter()

    def take(self, uses: Uses) -> None:
        """Count instances as used, all or none.

        Raises:
            ServiceError: ResourceLimitExceeded, in AWS's words.
        """
        with self._lock:
            self.check(uses, self._used)
            self._used.update(uses)

    @contextmanager
    def taken(self, uses: Uses) -> Iterator[None]:
        """Count instances as used, unless what is done with them fails."""
        self.take(uses)
        try:
            yield
        except Exception:
            self.give_back(uses)
            raise

    def give_back(self, uses: Uses) -> None:
        """Count instances as free again."""
        with self._lock:
            self._used.subtract(uses)

    def check(self, uses: Uses, used: Uses) -> None:
        """Refuse more instances than there may be, where so many are used already.

        Raises:
            ServiceError: ResourceLimitExceeded, in AWS's words.
        """
        for use, count in uses.items() if self._strictness else ():
            assert self._strictness is not None
            limit, now = self._strictness.quota(use), used.get(use, 0)
            if count > 0 and now + count > limit:
                raise ServiceError(
                    "ResourceLimitExceeded",
                    f"The account-level service limit '{use}' is {limit} Instances, with current "
                    f"utilization of {now} Instances and a request delta of {count} Instances. Please use "
                    "AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not "
                    "available, contact AWS support to request an increase for this quota.",
                )


def of_processing(arguments: Mapping[str, Any]) -> Uses:
    """The instances of a processing job."""
    cluster = arguments["ProcessingResources"]["ClusterConfig"]
    return {use_of(cluster["InstanceType"], "processing job"): cluster["InstanceCount"]}


def of_training(arguments: Mapping[str, Any]) -> Uses:
    """The instances of a training job, or of one of a tuning job's trials."""
    resources = arguments["ResourceConfig"]
    purpose = "spot training job" if arguments.get("EnableManagedSpotTraining") else "training job"
    return {use_of(resources["InstanceType"], purpose): resources["InstanceCount"]}


def of_transform(arguments: Mapping[str, Any]) -> Uses:
    """The instances of a transform job."""
    resources = arguments["TransformResources"]
    return {use_of(resources["InstanceType"], "transform job"): resources["InstanceCount"]}


def of_configuration(config: Mapping[str, Any]) -> Uses:
    """The instances that an endpoint configuration begins with."""
    uses: Counter[str] = Counter()
    for variant in (*config["ProductionVariants"], *config.get("ShadowProductionVariants", [])):
        if "InstanceType" in variant:
            uses[use_of(variant["InstanceType"], "endpoint")] += variant["InitialInstanceCount"]
    return dict(uses)
