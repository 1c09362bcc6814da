"""A DeploymentConfig as a plan: in how many steps traffic shifts, how long each bakes, and what stops it.

After "Deployment guardrails for updating models in production" in SageMaker's developer guide. It leaves open
how many instances a percentage is: here it is rounded down, and at least one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.sagemaker.errors import invalid, not_implemented

Counts = Mapping[str, int]
"""How many instances of each variant."""

_SIZES = {
    "CANARY": ("CanarySize", 0, 50),
    "LINEAR": ("LinearStepSize", 10, 50),
    "ROLLING": ("MaximumBatchSize", 5, 50),
}
"""The member that has the size of a step, and between which percentages of the instances it must be."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How one update of an endpoint shifts its traffic."""

    type: str = "ALL_AT_ONCE"
    """ALL_AT_ONCE, CANARY and LINEAR are blue/green: the old fleet is whole until the end. ROLLING is not."""
    step: Mapping[str, Any] | None = None
    """The CapacitySize of a step."""
    rollback_step: Mapping[str, Any] | None = None
    """The CapacitySize of a step back of a rolling update; None is the whole fleet at once."""
    wait_seconds: int = 0
    termination_seconds: int = 0
    timeout_seconds: int | None = None
    alarms: tuple[str, ...] = ()

    @property
    def rolling(self) -> bool:
        return self.type == "ROLLING"

    def steps(self, instances: Counts) -> Iterator[Counts]:
        """Instances that have traffic after each step, up to all of them."""
        if self.step is None:
            yield instances
            return
        sizes = {name: _size(self.step, count) for name, count in instances.items()}
        active: Counts = sizes
        while active != instances:
            yield active
            grown = {name: min(active[name] + sizes[name], count) for name, count in instances.items()}
            active = instances if self.type == "CANARY" else grown
        yield instances

    def steps_back(self, instances: Counts, left: Counts) -> Iterator[Counts]:
        """Instances of the old fleet that serve after each step of a rolling update's rollback."""
        while left != instances:
            sizes = {
                name: _size(self.rollback_step, count) if self.rollback_step else count
                for name, count in instances.items()
            }
            left = {name: min(left[name] + sizes[name], count) for name, count in instances.items()}
            yield left

    def check(self, instances: Counts) -> None:
        """Refuse what SageMaker does not allow for fleets of these sizes.

        Raises:
            ServiceError: a step is too small or too large, or (501) AWS does not say what it would do.
        """
        if self.step is None:
            return
        member, least, most = _SIZES[self.type]
        for name, count in instances.items():
            if self.step["Type"] == "CAPACITY_PERCENT":
                percent = float(self.step["Value"])
            else:
                percent = 100 * self.step["Value"] / count
            if not least <= percent <= most:
                between = f"between {least}% and {most}%" if least else f"at most {most}%"
                raise invalid(
                    f"{member} must be {between} of the instances of variant {name}, which has {count}."
                )
            if count == 1:
                raise not_implemented(f"{self.type} for a variant with one instance")


def policy_of(config: Mapping[str, Any]) -> Policy:
    """The plan of a DeploymentConfig, which may be empty: all at once, then.

    Raises:
        ServiceError: it contradicts itself.
    """
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise invalid("Only one update policy should be used in the deployment configuration.")
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    policy = (_rolling if rolling else _blue_green)(
        rolling or blue_green or {}, tuple(alarm["AlarmName"] for alarm in alarms)
    )
    waiting = policy.wait_seconds + policy.termination_seconds
    if policy.timeout_seconds is not None and policy.timeout_seconds <= waiting:
        raise invalid(
            f"MaximumExecutionTimeoutInSeconds must be larger than the total waiting time, {waiting} seconds."
        )
    return policy


def _blue_green(settings: Mapping[str, Any], alarms: tuple[str, ...]) -> Policy:
    routing = settings.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    kind = routing["Type"]
    sizes = {member: routing.get(member) for member in ("CanarySize", "LinearStepSize")}
    wanted = _SIZES[kind][0] if kind in _SIZES else None
    for member, size in sizes.items():
        if (size is not None) != (member == wanted):
            raise invalid(f"{member} is {'required' if member == wanted else 'not used'} with {kind}.")
    return Policy(
        type=kind,
        step=sizes.get(wanted) if wanted else None,
        wait_seconds=routing["WaitIntervalInSeconds"],
        termination_seconds=settings.get("TerminationWaitInSeconds", 0),
        timeout_seconds=settings.get("MaximumExecutionTimeoutInSeconds"),
        alarms=alarms,
    )


def _rolling(settings: Mapping[str, Any], alarms: tuple[str, ...]) -> Policy:
    back = settings.get("RollbackMaximumBatchSize")
    whole = back is not None and (back["Type"], back["Value"]) == ("CAPACITY_PERCENT", 100)
    return Policy(
        type="ROLLING",
        step=settings["MaximumBatchSize"],
        rollback_step=None if whole else back,
        wait_seconds=settings["WaitIntervalInSeconds"],
        timeout_seconds=settings.get("MaximumExecutionTimeoutInSeconds"),
        alarms=alarms,
    )


def _size(size: Mapping[str, Any], instances: int) -> int:
    if size["Type"] == "INSTANCE_COUNT":
        return min(int(size["Value"]), instances)
    return max(1, instances * int(size["Value"]) // 100)
