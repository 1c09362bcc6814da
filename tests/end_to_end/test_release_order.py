"""Approvals whose releases come late or all at once: the newest one is live in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.end_to_end.laptop import Model

pytestmark = pytest.mark.local_cloud


def test_of_approvals_in_any_order_the_newest_is_live(tumor: Model) -> None:
    sagemaker, endpoint = tumor.laptop.client("sagemaker"), tumor.outputs["Endpoint"]
    before = tumor.live()
    now = datetime.now(UTC)

    # One second after the other, released together; the newest is not the last to come.
    executions = [tumor.approve(now + timedelta(seconds=n)) for n in (1, 3, 2)]
    results = [tumor.released(execution) for execution in executions]
    live = tumor.live()
    late = tumor.released(tumor.approve(now))

    assert [result["status"] for result in (*results, late)] == ["SUCCEEDED"] * 4, results
    assert live["approved_at"] == f"{now + timedelta(seconds=3):%Y-%m-%dT%H:%M:%SZ}"
    assert tumor.live() == live
    described = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == live["endpoint_config"] > before["endpoint_config"]
    scaling = tumor.laptop.client("application-autoscaling")
    assert scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=f"endpoint/{endpoint}/variant/live"
    )["ScalingPolicies"]
