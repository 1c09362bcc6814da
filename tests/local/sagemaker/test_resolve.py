"""References and functions of a pipeline definition."""

from __future__ import annotations

from typing import Any

import pytest

from local.sagemaker.pipelines.conditions import holds
from local.sagemaker.pipelines.resolve import Scope, UnresolvedError, references, resolve

OUTPUTS = [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}}, {"OutputName": "holdout"}]

SCOPE = Scope(
    parameters={"RunUri": "s3://b/runs/1", "Rows": 5},
    execution={"PipelineExecutionId": "abc"},
    steps={"pre-pare": {"ProcessingOutputConfig": {"Outputs": OUTPUTS}, "Tags": {"a.b": 1}}},
    read_property_file=lambda step, name: {"passed": True, "list": [{"v": 1.5}], "of": f"{step}/{name}"},
)


def json_get(path: Any) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.pre-pare.PropertyFiles.Report"}, "Path": path}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ({"Get": "Parameters.RunUri"}, "s3://b/runs/1"),
        ({"Get": "Execution.PipelineExecutionId"}, "abc"),
        ({"Get": "Steps.pre-pare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}, "s3://b/train"),
        ({"Get": "Steps.pre-pare.ProcessingOutputConfig.Outputs[1].OutputName"}, "holdout"),
        ({"Get": "Steps.pre-pare.Tags['a.b']"}, 1),
        (
            {"Std:Join": {"On": "/", "Values": [{"Get": "Parameters.RunUri"}, "x", 3, True]}},
            "s3://b/runs/1/x/3/true",
        ),
        (json_get("passed"), True),
        (json_get("list[0].v"), 1.5),
        (json_get({"Std:Join": {"On": "", "Values": ["o", "f"]}}), "pre-pare/Report"),
        ({"a": [{"Get": "Parameters.Rows"}], "b": {"c": 1}}, {"a": [5], "b": {"c": 1}}),
    ],
)
def test_values_resolve(value: Any, expected: Any) -> None:
    assert resolve(value, SCOPE) == expected


@pytest.mark.parametrize(
    "path",
    [
        "Parameters.Missing",
        "Execution.Missing",
        "Steps.later.ModelArtifacts",
        "Steps.pre-pare.ProcessingOutputConfig.Outputs['missing']",
        "Steps.pre-pare.ProcessingOutputConfig.Outputs[7]",
        "Nothing.AtAll",
    ],
)
def test_reference_to_nothing_is_named(path: str) -> None:
    with pytest.raises(UnresolvedError) as refusal:
        resolve({"Get": path}, SCOPE)
    assert path in str(refusal.value)


def test_references_are_found_wherever_they_are() -> None:
    value = {
        "a": [{"Std:Join": {"On": {"Get": "Parameters.On"}, "Values": [{"Get": "Steps.x.y"}]}}],
        "b": json_get("z"),
    }
    assert set(references(value)) == {"Parameters.On", "Steps.x.y", "Steps.pre-pare.PropertyFiles.Report"}


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (compare("Equals", json_get("passed"), True), True),
        (compare("Equals", {"Get": "Parameters.Rows"}, 6), False),
        (compare("GreaterThan", {"Get": "Parameters.Rows"}, 5), False),
        (compare("GreaterThanOrEqualTo", {"Get": "Parameters.Rows"}, 5), True),
        (compare("LessThan", json_get("list[0].v"), 1.6), True),
        (compare("LessThanOrEqualTo", 2, 1), False),
        (
            {
                "Type": "In",
                "QueryValue": {"Get": "Parameters.Rows"},
                "Values": [1, {"Get": "Parameters.Rows"}],
            },
            True,
        ),
        ({"Type": "Not", "Expression": compare("Equals", 1, 1)}, False),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 2, 2)]}, True),
    ],
)
def test_conditions_hold(condition: dict[str, Any], expected: bool) -> None:
    assert holds(condition, SCOPE) is expected


def test_values_that_cannot_be_compared_are_an_error() -> None:
    with pytest.raises(UnresolvedError, match="'a' and 1 cannot be compared by LessThan"):
        holds(compare("LessThan", "a", 1), SCOPE)
