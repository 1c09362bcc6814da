"""Approvals whose releases come late or all at once: the newest one is live in the end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.laptop import Model, eventually

pytestmark = pytest.mark.local_cloud


def approve(tumor: Model, at: datetime) -> str:
    """Release the live version again, as its approval at this time would; the execution."""
    detail = {"ModelPackageArn": tumor.live()["model_package_arn"], "ModelApprovalStatus": "Approved"}
    event = {"source": "aws.sagemaker", "time": f"{at:%Y-%m-%dT%H:%M:%SZ}", "detail": detail}
    started = tumor.laptop.client("stepfunctions").start_execution(
        stateMachineArn=tumor.outputs["ReleaseStateMachineArn"], input=json.dumps(event)
    )
    return str(started["executionArn"])


def ended(tumor: Model, execution: str) -> Any:
    functions = tumor.laptop.client("stepfunctions")

    def look() -> Any:
        described = functions.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return eventually(look, within=60, what="the release ends")


def test_of_approvals_in_any_order_the_newest_is_live(tumor: Model) -> None:
    sagemaker, endpoint = tumor.laptop.client("sagemaker"), tumor.outputs["Endpoint"]
    before = tumor.live()
    now = datetime.now(UTC)

    # One second after the other, released together; the newest is not the last to come.
    executions = [approve(tumor, now + timedelta(seconds=n)) for n in (1, 3, 2)]
    results = [ended(tumor, execution) for execution in executions]
    live = tumor.live()
    late = ended(tumor, approve(tumor, now))

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
