"""Updates of an endpoint by deployment guardrails, and their rollbacks, while clients ask without pause.

Each test names the page of SageMaker's developer guide or API reference that documents the behaviour.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.serving import ask, asking, config, model, running, two_instances, variant
from tests.local.sagemaker.workbench import Workbench, wait_for

pytestmark = pytest.mark.local_cloud

HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}
ROLLING = {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 1}}


def blue_green(kind: str, *, wait: int = 1, **members: Any) -> dict[str, Any]:
    size = {"CANARY": {"CanarySize": HALF}, "LINEAR": {"LinearStepSize": HALF}}.get(kind, {})
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **members}}


STRATEGIES: dict[str, dict[str, Any]] = {
    **{kind: blue_green(kind) for kind in ("ALL_AT_ONCE", "CANARY", "LINEAR")},
    "ROLLING": ROLLING,
}


@pytest.fixture(scope="module")
def pair(workbench: Workbench) -> Iterator[str]:
    """An endpoint with two instances of whatever release it was updated to last."""
    with running(workbench, two_instances(workbench, "blue")) as name:
        yield name


def alarm(workbench: Workbench, endpoint: str, config_name: str) -> dict[str, Any]:
    """An AutoRollbackConfiguration of a new alarm on the errors of one configuration's fleet."""
    name = f"errors-{uuid4().hex[:8]}"
    dimensions = {"EndpointName": endpoint, "VariantName": "live", "EndpointConfigName": config_name}
    workbench.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    return {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name}]}}


def update(workbench: Workbench, endpoint: str, config_name: str, **members: Any) -> None:
    workbench.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config_name, **members)


def status(workbench: Workbench, endpoint: str) -> dict[str, Any]:
    """The status of the one variant of the update that is under way; empty where there is none."""
    described = workbench.sagemaker.describe_endpoint(EndpointName=endpoint)
    pending = described.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
    found: dict[str, Any] = (pending[0].get("VariantStatus") or [{}])[0] if pending else {}
    return {**found, "instances": pending[0]["CurrentInstanceCount"]} if found else {}


def baking(workbench: Workbench, endpoint: str, instances: int) -> dict[str, Any]:
    def bakes() -> dict[str, Any] | None:
        found = status(workbench, endpoint)
        return found if found and (found["Status"], found["instances"]) == ("Baking", instances) else None

    return wait_for(bakes, f"baking of {instances} instances")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_request_is_lost_or_fails_by_an_update(workbench: Workbench, pair: str, strategy: str) -> None:
    """deployment-guardrails.html: "maximize the availability of your endpoints"."""
    release = strategy.lower().replace("_", "-")
    green = two_instances(workbench, release)
    with asking(workbench, pair) as traffic:
        update(workbench, pair, green, DeploymentConfig=STRATEGIES[strategy])
        if strategy != "ALL_AT_ONCE":
            baking(workbench, pair, 1)
            shared = traffic.next()
            assert 8 <= shared[release] <= 32  # half of 40; by chance outside of this once in 10,000 runs
        described = workbench.endpoint(pair)
        assert set(traffic.next()) == {release}
    assert described["EndpointConfigName"] == green
    assert described["LastDeploymentConfig"] == STRATEGIES[strategy]
    assert "PendingDeploymentSummary" not in described
    assert traffic.errors == []


BACK: dict[str, dict[str, Any]] = {
    "ALL_AT_ONCE": blue_green("ALL_AT_ONCE", wait=60),
    "CANARY": blue_green("CANARY", TerminationWaitInSeconds=60),
    "LINEAR": blue_green("LINEAR", TerminationWaitInSeconds=60),
    "ROLLING": {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 5}},
}
"""Deployments whose last bake is long enough for an alarm."""


@pytest.mark.parametrize("strategy", BACK)
def test_no_request_is_lost_or_fails_by_a_rollback(workbench: Workbench, pair: str, strategy: str) -> None:
    """deployment-guardrails-configuration.html: "a complete rollback to the old endpoint"."""
    before = workbench.endpoint(pair)["EndpointConfigName"]
    good = two_instances(workbench, "good")
    with asking(workbench, pair) as traffic:
        update(workbench, pair, good, DeploymentConfig={**BACK[strategy], **alarm(workbench, pair, good)})
        baking(workbench, pair, 2)  # all of the traffic, and of a rolling update's old fleet one is left
        trip(workbench, pair, good)
        described = workbench.endpoint(pair)
        assert "good" not in traffic.next()
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", before)
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert "alarms tripped" in described["FailureReason"]
    assert traffic.errors == []


def test_a_canary_that_fails_is_taken_back_by_its_own_metrics(workbench: Workbench, pair: str) -> None:
    """deployment-guardrails-blue-green-canary.html: "all traffic returns to the blue fleet"."""
    before = workbench.endpoint(pair)["EndpointConfigName"]
    broken = two_instances(workbench, "failing")
    policy = {**blue_green("CANARY", wait=60), **alarm(workbench, pair, broken)}
    queue = workbench.queue_of_events(
        {"detail-type": ["SageMaker Endpoint State Change"], "detail": {"EndpointName": [pair]}}
    )
    with asking(workbench, pair) as traffic:
        update(workbench, pair, broken, DeploymentConfig=policy)
        assert workbench.endpoint(pair)["EndpointConfigName"] == before
        failed = len(traffic.errors)
        traffic.next()
    assert failed == len(traffic.errors) > 0  # the canary's share, until it was taken back
    states = [workbench.next_event(queue)["detail"]["EndpointStatus"] for _ in range(3)]
    assert states == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]


def test_a_canary_bakes_says_so_and_metrics_tell_the_fleets_apart(workbench: Workbench, pair: str) -> None:
    """deployment-guardrails-blue-green-canary.html and automating-sagemaker-with-eventbridge.html."""
    old = workbench.endpoint(pair)["EndpointConfigName"]
    green = two_instances(workbench, "green")
    queue = workbench.queue_of_events(
        {
            "detail-type": ["SageMaker Endpoint Deployment State Change"],
            "detail": {"EndpointName": [pair]},
        }
    )
    with asking(workbench, pair):
        update(workbench, pair, green, DeploymentConfig=blue_green("CANARY", wait=3))
        half = baking(workbench, pair, 1)
        described = workbench.sagemaker.describe_endpoint(EndpointName=pair)
        assert described["EndpointStatus"] == "Updating"
        assert described["EndpointConfigName"] == old
        assert described["PendingDeploymentSummary"]["EndpointConfigName"] == green
        for name in (old, green):
            both = {"EndpointName": pair, "VariantName": "live", "EndpointConfigName": name}
            wait_for(lambda: workbench.total("AWS/SageMaker", "Invocations", **both) > 0, "its metric")  # noqa: B023
        workbench.endpoint(pair)
    assert half["StatusMessage"] == (
        "Baking for 3 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)."
    )
    states: list[tuple[str, int]] = []
    while states[-1:] != [("Baking", 2)]:
        detail = workbench.next_event(queue)["detail"]
        assert detail["EndpointStatus"] == "UPDATING"
        [variant] = detail["PendingDeploymentSummary"]["ProductionVariants"]
        states.append((variant["VariantStatus"][0]["Status"], variant["CurrentInstanceCount"]))
    assert states[0][0] == "Creating"
    assert ("ActivatingTraffic", 1) in states or ("ActivatingTraffic", 2) in states
    assert ("Baking", 1) in states


def test_the_old_fleet_stays_until_the_termination_wait_is_over(workbench: Workbench, pair: str) -> None:
    """API_BlueGreenUpdatePolicy: TerminationWaitInSeconds; its alarms are monitored to the end."""
    before = workbench.endpoint(pair)["EndpointConfigName"]
    broken = two_instances(workbench, "failing")
    policy = blue_green("ALL_AT_ONCE", wait=0, TerminationWaitInSeconds=60)
    update(workbench, pair, broken, DeploymentConfig={**policy, **alarm(workbench, pair, broken)})
    message = "Baking for 60 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 2"
    wait_for(lambda: message in status(workbench, pair).get("StatusMessage", ""), "the wait")
    with pytest.raises(ClientError):
        ask(workbench, pair)
    assert workbench.endpoint(pair)["EndpointConfigName"] == before
    assert ask(workbench, pair)["release"] != "failing"


def test_an_alarm_that_rings_already_ends_the_deployment(workbench: Workbench, pair: str) -> None:
    """deployment-guardrails-configuration.html: an old fleet that "already causes errors" ends it."""
    before = workbench.endpoint(pair)["EndpointConfigName"]
    with pytest.raises(ClientError):
        ask(workbench, pair, "boom")
    rollback = alarm(workbench, pair, before)
    [named] = rollback["AutoRollbackConfiguration"]["Alarms"]
    cloudwatch = workbench.client("cloudwatch")
    wait_for(
        lambda: cloudwatch.describe_alarms(AlarmNames=[named["AlarmName"]], StateValue="ALARM")[
            "MetricAlarms"
        ],
        "the alarm",
    )
    policy = {**blue_green("CANARY", wait=60), **rollback}
    update(workbench, pair, two_instances(workbench, "green"), DeploymentConfig=policy)
    described = workbench.endpoint(pair)
    assert described["EndpointConfigName"] == before
    assert named["AlarmName"] in described["FailureReason"]


def test_alarms_must_exist_and_take_permission(workbench: Workbench, pair: str) -> None:
    """deployment-guardrails-configuration.html, note: permission for cloudwatch:DescribeAlarms."""
    green = two_instances(workbench, "green")
    unknown = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "no-such-alarm"}]}}
    with pytest.raises(ClientError, match="Could not find the alarms no-such-alarm"):
        update(workbench, pair, green, DeploymentConfig={**blue_green("CANARY"), **unknown})
    role = workbench.role("deployer", ["states.amazonaws.com"], ["sagemaker:UpdateEndpoint"])
    client = workbench.client("sagemaker", workbench.assume(role))
    with pytest.raises(ClientError, match=r"cloudwatch:DescribeAlarms on resource: .*:alarm:no-such-alarm"):
        client.update_endpoint(
            EndpointName=pair,
            EndpointConfigName=green,
            DeploymentConfig={**blue_green("CANARY"), **unknown},
        )


def test_the_deployment_configuration_is_forgotten_unless_retained(workbench: Workbench) -> None:
    """API_UpdateEndpoint: RetainDeploymentConfig, whose default is false; API_CreateEndpoint keeps one."""
    name = f"endpoint-{uuid4().hex[:8]}"
    canary = blue_green("CANARY", wait=0)
    workbench.sagemaker.create_endpoint(
        EndpointName=name,
        EndpointConfigName=two_instances(workbench, "blue"),
        DeploymentConfig=canary,
    )
    assert workbench.endpoint(name)["LastDeploymentConfig"] == canary
    # Its steps are those of a canary: it must have the variant names, and more than one instance.
    other = config(
        workbench, "green", ProductionVariants=[variant(model(workbench, "green"), VariantName="b")]
    )
    with pytest.raises(ClientError, match="must have the same variant names as the old one: live"):
        update(workbench, name, other, RetainDeploymentConfig=True)
    update(workbench, name, other)
    assert "LastDeploymentConfig" not in workbench.endpoint(name)
    workbench.sagemaker.delete_endpoint(EndpointName=name)


def test_a_rolling_update_whose_rollback_fails_leaves_both_fleets_serving(workbench: Workbench) -> None:
    """API_DescribeEndpoint: UpdateRollbackFailed, "in service with a mix of the old and new"."""
    old = model(workbench, "blue")
    workbench.sagemaker.create_endpoint_config(
        EndpointConfigName=old, ProductionVariants=[variant(old, InitialInstanceCount=4)]
    )
    with running(workbench, old) as endpoint:
        new = model(workbench, "green")
        workbench.sagemaker.create_endpoint_config(
            EndpointConfigName=new, ProductionVariants=[variant(new, InitialInstanceCount=4)]
        )
        rollback = alarm(workbench, endpoint, new)
        with asking(workbench, endpoint) as traffic:
            update(workbench, endpoint, new, DeploymentConfig={**ROLLING, **rollback})
            wait_for(
                lambda: any(
                    each["CurrentInstanceCount"] == 2
                    for each in workbench.sagemaker.describe_endpoint(EndpointName=endpoint)[
                        "ProductionVariants"
                    ]
                ),
                "the end of the first batch",
            )
            workbench.s3.delete_object(Bucket="workbench", Key="artifacts/blue.tar.gz")
            trip(workbench, endpoint, new)
            described = workbench.endpoint(endpoint)
            assert described["EndpointStatus"] == "UpdateRollbackFailed"
            assert set(traffic.next(80)) == {"blue", "green"}
            # The way out: another update, with a fleet of its own.
            final = config(workbench, "red")
            update(workbench, endpoint, final)
            described = workbench.endpoint(endpoint)
            assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", final)
            assert set(traffic.next()) == {"red"}
        assert traffic.errors == []


def trip(workbench: Workbench, endpoint: str, config_name: str) -> None:
    """Put an error into the metric that `alarm` looks at, as if the fleet had made it."""
    dimensions = {"EndpointName": endpoint, "VariantName": "live", "EndpointConfigName": config_name}
    workbench.client("cloudwatch").put_metric_data(
        Namespace="AWS/SageMaker",
        MetricData=[
            {
                "MetricName": "Invocation5XXErrors",
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                "Value": 1,
            }
        ],
    )


def test_a_weight_or_size_that_cannot_be_had_is_rolled_back(workbench: Workbench) -> None:
    """API_DescribeEndpoint: RollingBack "to its previous configuration", then InService."""
    with running(workbench, config(workbench, "blue")) as endpoint:
        queue = workbench.queue_of_events(
            {"detail-type": ["SageMaker Endpoint State Change"], "detail": {"EndpointName": [endpoint]}}
        )
        workbench.s3.delete_object(Bucket="workbench", Key="artifacts/blue.tar.gz")
        wanted = {"VariantName": "live", "DesiredInstanceCount": 3, "DesiredWeight": 5}
        workbench.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=endpoint, DesiredWeightsAndCapacities=[wanted]
        )
        [found] = workbench.endpoint(endpoint)["ProductionVariants"]
        assert (found["CurrentInstanceCount"], found["CurrentWeight"]) == (1, 1)
        states = [workbench.next_event(queue)["detail"]["EndpointStatus"] for _ in range(3)]
    assert states == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]
