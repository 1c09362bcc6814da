"""Application Auto Scaling of a variant: registered, authorised, and really scaled by what is invoked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.serving import ask, config, running
from tests.local.sagemaker.workbench import ACCOUNT, Workbench, wait_for

pytestmark = pytest.mark.local_cloud

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SCALING = ["application-autoscaling:RegisterScalableTarget", "iam:CreateServiceLinkedRole"]
SAGEMAKER = [
    "sagemaker:DescribeEndpoint",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "sagemaker:DescribeEndpointConfig",
]


@pytest.fixture
def endpoint(workbench: Workbench) -> Iterator[str]:
    with running(workbench, config(workbench, "blue")) as name:
        yield name


def target(endpoint: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/live",
        "ScalableDimension": DIMENSION,
    }


def policy(**members: Any) -> dict[str, Any]:
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    configuration = {"TargetValue": 60.0, "PredefinedMetricSpecification": metric, **members}
    return {
        "PolicyName": "load",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


def instances(workbench: Workbench, endpoint: str) -> int:
    described = workbench.sagemaker.describe_endpoint(EndpointName=endpoint)
    return int(described["ProductionVariants"][0]["CurrentInstanceCount"])


def test_load_scales_out_and_its_end_scales_in(workbench: Workbench, endpoint: str) -> None:
    scaling = workbench.client("application-autoscaling")
    scaling.register_scalable_target(**target(endpoint), MinCapacity=1, MaxCapacity=2)
    scaling.put_scaling_policy(**target(endpoint), **policy(ScaleOutCooldown=0, ScaleInCooldown=1))
    stop, errors = threading.Event(), []

    def load() -> None:
        while not stop.is_set():
            try:
                ask(workbench, endpoint)
            except ClientError as error:
                errors.append(error)

    asking = threading.Thread(target=load)
    asking.start()
    wait_for(lambda: instances(workbench, endpoint) == 2, "scaling out")
    stop.set()
    asking.join()
    wait_for(lambda: instances(workbench, endpoint) == 1, "scaling in")
    assert errors == []


def test_capacity_is_brought_into_the_range(workbench: Workbench, endpoint: str) -> None:
    scaling = workbench.client("application-autoscaling")
    scaling.register_scalable_target(**target(endpoint), MinCapacity=2, MaxCapacity=3)
    wait_for(lambda: instances(workbench, endpoint) == 2, "the minimum")


def test_targets_and_policies_are_described_until_they_are_gone(workbench: Workbench, endpoint: str) -> None:
    scaling = workbench.client("application-autoscaling")
    mine = {"ServiceNamespace": "sagemaker", "ResourceIds": [target(endpoint)["ResourceId"]]}
    arn = scaling.register_scalable_target(**target(endpoint), MinCapacity=1, MaxCapacity=4)[
        "ScalableTargetARN"
    ]
    again = scaling.register_scalable_target(**target(endpoint), MaxCapacity=5)["ScalableTargetARN"]
    assert arn == again
    [described] = scaling.describe_scalable_targets(**mine)["ScalableTargets"]
    assert (described["MinCapacity"], described["MaxCapacity"]) == (1, 5)
    first = scaling.put_scaling_policy(**target(endpoint), **policy())["PolicyARN"]
    assert scaling.put_scaling_policy(**target(endpoint), **policy(TargetValue=70.0))["PolicyARN"] == first
    [kept] = scaling.describe_scaling_policies(**target(endpoint))["ScalingPolicies"]
    assert kept["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70
    scaling.deregister_scalable_target(**target(endpoint))
    assert scaling.describe_scalable_targets(**mine)["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(**target(endpoint))["ScalingPolicies"] == []
    with pytest.raises(scaling.exceptions.ObjectNotFoundException):
        scaling.deregister_scalable_target(**target(endpoint))
    with pytest.raises(scaling.exceptions.ObjectNotFoundException):
        scaling.put_scaling_policy(**target(endpoint), **policy())


def test_a_variant_must_exist_and_a_range_be_one(workbench: Workbench, endpoint: str) -> None:
    scaling = workbench.client("application-autoscaling")
    with pytest.raises(scaling.exceptions.ValidationException, match="Could not find endpoint"):
        scaling.register_scalable_target(**target("nowhere"), MinCapacity=1, MaxCapacity=2)
    with pytest.raises(scaling.exceptions.ValidationException, match="less than minimum"):
        scaling.register_scalable_target(**target(endpoint), MinCapacity=2, MaxCapacity=1)


def test_a_deleted_endpoint_is_no_target(workbench: Workbench) -> None:
    scaling = workbench.client("application-autoscaling")
    with running(workbench, config(workbench, "blue")) as name:
        scaling.register_scalable_target(**target(name), MinCapacity=1, MaxCapacity=1)
    mine = {"ServiceNamespace": "sagemaker", "ResourceIds": [target(name)["ResourceId"]]}
    wait_for(lambda: not scaling.describe_scalable_targets(**mine)["ScalableTargets"], "its end")


@pytest.mark.parametrize(
    ("actions", "refused"),
    [
        (["iam:CreateServiceLinkedRole", *SAGEMAKER], "application-autoscaling:RegisterScalableTarget"),
        (SCALING, "sagemaker:DescribeEndpoint"),
        ([*SCALING, *SAGEMAKER[:1]], "sagemaker:UpdateEndpointWeightsAndCapacities"),
        ([*SCALING, *SAGEMAKER[:2]], "sagemaker:DescribeEndpointConfig"),
    ],
)
def test_registering_takes_every_permission(
    workbench: Workbench, endpoint: str, actions: list[str], refused: str
) -> None:
    role = workbench.role("scaler", ["states.amazonaws.com"], actions)
    scaling = workbench.client("application-autoscaling", workbench.assume(role))
    with pytest.raises(ClientError, match=f"is not authorized to perform: {refused} on resource"):
        scaling.register_scalable_target(**target(endpoint), MinCapacity=1, MaxCapacity=2)


def test_a_policy_takes_permission_for_its_alarms(workbench: Workbench, endpoint: str) -> None:
    workbench.client("application-autoscaling").register_scalable_target(
        **target(endpoint), MinCapacity=1, MaxCapacity=2
    )
    role = workbench.role("policies", ["states.amazonaws.com"], ["application-autoscaling:PutScalingPolicy"])
    scaling = workbench.client("application-autoscaling", workbench.assume(role))
    alarm = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:TargetTracking-endpoint/{endpoint}/variant/live"
    with pytest.raises(ClientError, match=f"cloudwatch:PutMetricAlarm on resource: {alarm}"):
        scaling.put_scaling_policy(**target(endpoint), **policy())


def test_what_is_not_done_is_refused_by_name(workbench: Workbench, endpoint: str) -> None:
    scaling = workbench.client("application-autoscaling")
    with pytest.raises(ClientError, match="does not implement Application Auto Scaling PutScheduledAction"):
        scaling.put_scheduled_action(**target(endpoint), ScheduledActionName="night", Schedule="rate(1 day)")
    with pytest.raises(ClientError, match="does not implement ServiceNamespace='dynamodb'"):
        scaling.describe_scalable_targets(ServiceNamespace="dynamodb")
