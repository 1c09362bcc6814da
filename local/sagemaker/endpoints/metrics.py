"""CloudWatch metrics of invocations, by variant, and by variant and endpoint configuration."""

from __future__ import annotations

from collections.abc import Iterable

from local.cloud.seam import Cloud
from local.sagemaker.endpoints.fleet import Fleet
from local.sagemaker.endpoints.variant import Variant

_NAMESPACE = "AWS/SageMaker"
Point = tuple[str, float, str]
"""Name, value and unit."""


def invocation(variant: Variant, status: int, latency: float, overhead: float) -> Iterable[Point]:
    """The points of one invocation, answered with an HTTP status (0: not at all) after so many seconds."""
    yield "Invocations", 1.0, "Count"
    yield "Invocation4XXErrors", float(400 <= status < 500), "Count"
    yield "Invocation5XXErrors", float(status == 0 or status >= 500), "Count"
    yield "ModelLatency", latency * 1e6, "Microseconds"
    yield "OverheadLatency", overhead * 1e6, "Microseconds"
    if not variant.serverless:
        yield "InvocationsPerInstance", 1.0 / max(1, len(variant.servers)), "None"


def setup(seconds: float) -> Point:
    """How long a serverless variant took to start."""
    return "ModelSetupTime", seconds * 1e6, "Microseconds"


def put(cloud: Cloud, endpoint: str, fleet: Fleet, variant: Variant, points: Iterable[Point]) -> None:
    """Publish points with the dimensions that SageMaker documents.

    Those with EndpointConfigName tell the fleets of an update apart, which share the other two.
    """
    both = {"EndpointName": endpoint, "VariantName": variant.name}
    for name, value, unit in points:
        cloud.put_metric(_NAMESPACE, name, value, unit, both)
        cloud.put_metric(_NAMESPACE, name, value, unit, {**both, "EndpointConfigName": fleet.config_name})
