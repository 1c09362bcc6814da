"""What a DeploymentConfig means, without a cloud. Each test names the API reference's page."""

from __future__ import annotations

from typing import Any

import pytest

from local.sagemaker import shapes
from local.sagemaker.endpoints.baking import Baking, RollbackError
from local.sagemaker.endpoints.deployment_policy import policy_of
from local.sagemaker.errors import ServiceError


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def count(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(
    kind: str, *, wait: int = 0, policy: dict[str, Any] | None = None, **routing: Any
) -> dict[str, Any]:
    configuration = {"Type": kind, "WaitIntervalInSeconds": wait, **routing}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": configuration, **(policy or {})}}


def rolling(size: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 0, **members}}


def steps(config: dict[str, Any], instances: int) -> list[int]:
    policy = policy_of(config)
    policy.check({"live": instances})
    return [active["live"] for active in policy.steps({"live": instances})]


@pytest.mark.parametrize(
    ("config", "instances", "active"),
    [
        ({}, 4, [4]),
        (blue_green("ALL_AT_ONCE"), 4, [4]),
        (blue_green("CANARY", CanarySize=percent(25)), 4, [1, 4]),
        (blue_green("CANARY", CanarySize=count(2)), 5, [2, 5]),
        (blue_green("CANARY", CanarySize=percent(5)), 2, [1, 2]),
        (blue_green("LINEAR", LinearStepSize=percent(33)), 3, [1, 2, 3]),
        (blue_green("LINEAR", LinearStepSize=percent(10)), 2, [1, 2]),
        (rolling(percent(50)), 4, [2, 4]),
        (rolling(count(2)), 5, [2, 4, 5]),
    ],
)
def test_traffic_shifts_in_one_step_in_two_or_in_many(
    config: dict[str, Any], instances: int, active: list[int]
) -> None:
    """API_TrafficRoutingConfig and API_RollingUpdatePolicy: steps "of a configurable size"."""
    assert steps(config, instances) == active


@pytest.mark.parametrize(
    ("config", "refusal"),
    [
        (blue_green("CANARY", CanarySize=percent(51)), "CanarySize must be at most 50%"),
        (blue_green("CANARY", CanarySize=count(3)), "CanarySize must be at most 50%"),
        (blue_green("LINEAR", LinearStepSize=percent(9)), "LinearStepSize must be between 10% and 50%"),
        (blue_green("LINEAR", LinearStepSize=percent(51)), "LinearStepSize must be between 10% and 50%"),
        (rolling(percent(4)), "MaximumBatchSize must be between 5% and 50%"),
        (rolling(count(3)), "MaximumBatchSize must be between 5% and 50%"),
    ],
)
def test_steps_have_limits(config: dict[str, Any], refusal: str) -> None:
    """API_TrafficRoutingConfig: canary up to 50%, linear 10-50%; API_RollingUpdatePolicy: 5-50%."""
    with pytest.raises(ServiceError, match=refusal):
        steps(config, 4)


@pytest.mark.parametrize("kind", ["CANARY", "LINEAR", "ROLLING"])
def test_what_aws_does_not_say_of_one_instance_is_not_made_up(kind: str) -> None:
    """API_CapacitySize says nothing of a percentage of one instance."""
    config = {
        "CANARY": blue_green("CANARY", CanarySize=percent(10)),
        "LINEAR": blue_green("LINEAR", LinearStepSize=percent(10)),
        "ROLLING": rolling(percent(10)),
    }[kind]
    with pytest.raises(
        ServiceError, match=f"does not implement {kind} for a variant with one instance"
    ) as no:
        steps(config, 1)
    assert no.value.status == 501


@pytest.mark.parametrize(
    ("config", "refusal"),
    [
        ({**blue_green("ALL_AT_ONCE"), **rolling(percent(50))}, "Only one update policy"),
        (blue_green("CANARY"), "CanarySize is required with CANARY"),
        (blue_green("LINEAR", CanarySize=percent(10)), "CanarySize is not used with LINEAR"),
        (blue_green("ALL_AT_ONCE", LinearStepSize=percent(10)), "LinearStepSize is not used"),
    ],
)
def test_one_policy_with_its_own_step(config: dict[str, Any], refusal: str) -> None:
    """API_DeploymentConfig: "Only one update policy should be used"."""
    with pytest.raises(ServiceError, match=refusal):
        policy_of(config)


def test_the_time_limit_is_longer_than_the_waits() -> None:
    """API_BlueGreenUpdatePolicy: it "should be larger than the total waiting time"."""
    policy = {"TerminationWaitInSeconds": 400, "MaximumExecutionTimeoutInSeconds": 600}
    with pytest.raises(ServiceError, match="larger than the total waiting time, 600 seconds"):
        policy_of(blue_green("ALL_AT_ONCE", wait=200, policy=policy))
    assert policy_of(blue_green("ALL_AT_ONCE", wait=199, policy=policy)).timeout_seconds == 600


@pytest.mark.parametrize(
    ("config", "violation"),
    [
        (blue_green("ALL_AT_ONCE", wait=3601), "less than or equal to 3600"),
        (blue_green("ALL_AT_ONCE", policy={"TerminationWaitInSeconds": 3601}), "equal to 3600"),
        (blue_green("ALL_AT_ONCE", policy={"MaximumExecutionTimeoutInSeconds": 599}), "equal to 600"),
        (rolling(percent(50), MaximumExecutionTimeoutInSeconds=28801), "equal to 28800"),
        ({"AutoRollbackConfiguration": {"Alarms": []}}, "length greater than or equal to 1"),
        ({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}] * 11}}, "equal to 10"),
    ],
)
def test_waits_time_limits_and_alarms_have_limits(config: dict[str, Any], violation: str) -> None:
    """API_BlueGreenUpdatePolicy, API_RollingUpdatePolicy, API_AutoRollbackConfig: valid ranges."""
    arguments = {"EndpointName": "e", "EndpointConfigName": "c", "DeploymentConfig": config}
    with pytest.raises(ServiceError, match=violation):
        shapes.check("UpdateEndpoint", arguments)


@pytest.mark.parametrize(
    ("back", "left"),
    [
        ({}, [4]),
        ({"RollbackMaximumBatchSize": percent(100)}, [4]),
        ({"RollbackMaximumBatchSize": percent(25)}, [2, 3, 4]),
    ],
)
def test_a_rolling_update_is_rolled_back_at_once_or_in_batches(back: dict[str, Any], left: list[int]) -> None:
    """API_RollingUpdatePolicy: RollbackMaximumBatchSize, by default "100% of total capacity"."""
    policy = policy_of(rolling(percent(50), **back))
    assert [step["live"] for step in policy.steps_back({"live": 4}, {"live": 1})] == left


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_deployment_that_takes_too_long_is_taken_back() -> None:
    """API_BlueGreenUpdatePolicy: MaximumExecutionTimeoutInSeconds; "exceeding this limit causes a timeout"."""
    clock = Clock()
    baking = Baking(ringing=list, timeout_seconds=600, clock=lambda: clock.now, sleep=clock.sleep)
    baking.start()
    baking.wait(300)
    assert clock.now == 300
    clock.now += 250  # instances that took their time to start
    with pytest.raises(RollbackError, match="longer than 600 seconds"):
        baking.wait(300)
    assert 600 < clock.now < 602


def test_an_alarm_ends_a_wait_when_it_rings_and_is_looked_at_in_a_wait_of_nothing() -> None:
    """deployment-guardrails-configuration.html: "If any of your alarms trip during the … period"."""
    clock = Clock()
    baking = Baking(
        ringing=lambda: ["slow"] if clock.now >= 10 else [],
        timeout_seconds=None,
        clock=lambda: clock.now,
        sleep=clock.sleep,
    )
    baking.start()
    baking.wait(0)
    with pytest.raises(RollbackError, match="alarms tripped during the deployment: slow"):
        baking.wait(300)
    assert clock.now == 10
    with pytest.raises(RollbackError):
        baking.wait(0)
