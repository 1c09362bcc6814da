"""Instances of a variant: as many server processes, more and fewer of them while it serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.serving import ask, config, running, variant
from tests.local.sagemaker.workbench import Workbench, wait_for

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def endpoint(workbench: Workbench) -> Iterator[str]:
    with running(workbench, config(workbench, "blue")) as name:
        yield name


def resize(workbench: Workbench, endpoint: str, **wanted: Any) -> dict[str, Any]:
    """What describes the variant once it has its new capacity."""
    workbench.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=[{"VariantName": "live", **wanted}]
    )
    found: dict[str, Any] = workbench.endpoint(endpoint)["ProductionVariants"][0]
    return found


def servers(workbench: Workbench, endpoint: str) -> int:
    return len(list((workbench.folder / "endpoints" / endpoint).glob("i-*")))


def test_each_instance_is_a_server_of_its_own(workbench: Workbench, endpoint: str) -> None:
    described = resize(workbench, endpoint, DesiredInstanceCount=3)
    assert (described["CurrentInstanceCount"], described["DesiredInstanceCount"]) == (3, 3)
    assert servers(workbench, endpoint) == 3
    assert ask(workbench, endpoint)["release"] == "blue"
    assert resize(workbench, endpoint, DesiredInstanceCount=1)["CurrentInstanceCount"] == 1
    assert servers(workbench, endpoint) == 1
    assert ask(workbench, endpoint)["release"] == "blue"


def test_invocations_per_instance_are_measured(workbench: Workbench, endpoint: str) -> None:
    resize(workbench, endpoint, DesiredInstanceCount=2)
    for _ in range(4):
        ask(workbench, endpoint)
    dimensions = {"EndpointName": endpoint, "VariantName": "live"}
    assert workbench.total("AWS/SageMaker", "InvocationsPerInstance", **dimensions) == 2


@pytest.mark.parametrize(
    ("retain", "instances"),
    [
        ({}, 1),
        ({"RetainAllVariantProperties": True}, 2),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
            },
            1,
        ),
    ],
)
def test_an_update_keeps_the_instances_where_it_is_told_to(
    workbench: Workbench, endpoint: str, retain: dict[str, Any], instances: int
) -> None:
    resize(workbench, endpoint, DesiredInstanceCount=2)
    workbench.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=config(workbench, "green"), **retain
    )
    described = workbench.endpoint(endpoint)["ProductionVariants"][0]
    assert described["CurrentInstanceCount"] == instances
    assert ask(workbench, endpoint)["release"] == "green"
    wait_for(lambda: servers(workbench, endpoint) == instances, "the end of the old fleet")


def test_a_configuration_starts_with_its_own_count(workbench: Workbench) -> None:
    name = config(workbench, "blue")
    workbench.sagemaker.create_endpoint_config(
        EndpointConfigName=f"{name}-two", ProductionVariants=[variant(name, InitialInstanceCount=2)]
    )
    with running(workbench, f"{name}-two") as endpoint:
        assert servers(workbench, endpoint) == 2


def test_what_is_busy_or_unknown_is_not_resized(workbench: Workbench, endpoint: str) -> None:
    with pytest.raises(ClientError, match="Could not find variant other"):
        resize(workbench, endpoint, VariantName="other", DesiredInstanceCount=2)
    workbench.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config(workbench, "green"))
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        resize(workbench, endpoint, DesiredInstanceCount=2)
