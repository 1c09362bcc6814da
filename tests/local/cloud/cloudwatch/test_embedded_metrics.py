from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud.cloudwatch.embedded_metrics import Point, points


def line(**changes: Any) -> str:
    directive = {
        "Namespace": "Millrace",
        "Dimensions": [["Environment", "Model"]],
        "Metrics": [{"Name": "Rows", "Unit": "Count"}],
    }
    root = {"_aws": {"Timestamp": 5000, "CloudWatchMetrics": [directive]}}
    return json.dumps({**root, "Environment": "local", "Model": "tumor", "Rows": 3, **changes})


def test_a_metric_has_namespace_dimensions_unit_and_time() -> None:
    dimensions = {"Environment": "local", "Model": "tumor"}
    assert list(points(line(), received=9.0)) == [Point("Millrace", "Rows", 3.0, "Count", dimensions, 5.0)]


def test_a_list_is_several_values() -> None:
    assert [point.value for point in points(line(Rows=[1, 2.5]), received=9.0)] == [1.0, 2.5]


def test_each_set_of_dimensions_is_a_metric_of_its_own() -> None:
    directive = {"Namespace": "N", "Dimensions": [["Model"], []], "Metrics": [{"Name": "Rows"}]}
    found = points(line(_aws={"CloudWatchMetrics": [directive]}), received=9.0)
    assert [(dict(point.dimensions), point.unit, point.timestamp) for point in found] == [
        ({"Model": "tumor"}, "None", 9.0),
        ({}, "None", 9.0),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 1",
        '{"message": "no metrics"}',
        '{"_aws": 1}',
        '{"_aws": {"CloudWatchMetrics": [{}]}}',
        '{"_aws": broken',
        line(Rows="three"),
        line(Rows=None),
        line(Rows=True),
    ],
)
def test_anything_else_is_no_metric(text: str) -> None:
    assert list(points(text, received=9.0)) == []
