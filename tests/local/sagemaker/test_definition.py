"""Pipeline definitions: what is accepted, what is refused, and in which order steps run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.sagemaker.errors import ServiceError
from local.sagemaker.pipelines.definition import dependencies, every, parse


def step(name: str, *after: Any, **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Processing", "Arguments": arguments, "DependsOn": list(after)}


def definition(*steps: dict[str, Any], parameters: Any = ()) -> str:
    return json.dumps({"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps)})


def gate(*inner: dict[str, Any], **condition: Any) -> dict[str, Any]:
    conditions = [{"Type": "Equals", "LeftValue": 1, "RightValue": 1, **condition}]
    arguments = {"Conditions": conditions, "IfSteps": list(inner), "ElseSteps": []}
    return {"Name": "gate", "Type": "Condition", "Arguments": arguments}


def test_dependencies_are_those_named_and_those_referred_to() -> None:
    third = step(
        "c", "a", {"Get": "Steps.a2"}, uri={"Std:Join": {"On": "", "Values": [{"Get": "Steps.b.Uri"}]}}
    )
    assert dependencies(third) == {"a", "a2", "b"}


def test_condition_waits_for_its_conditions_only() -> None:
    inner = step("inner", uri={"Get": "Steps.b.Uri"})
    assert dependencies(gate(inner, LeftValue={"Get": "Steps.a.Uri"})) == {"a"}
    assert [s["Name"] for s in every(parse(definition(step("a"), step("b"), gate(inner))).steps)] == [
        "a",
        "b",
        "gate",
        "inner",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "Unable to parse pipeline definition"),
        (definition(step("a"), step("a")), r"Step names must be unique: \[a\]"),
        (definition(step("a", "b")), "Step a depends on unknown step b"),
        (definition(step("a", x={"Get": "Parameters.Rows"})), "Step a refers to unknown Parameters.Rows"),
        (definition(step("a", x={"Get": "Steps.b.Uri"})), "Step a refers to unknown Steps.b.Uri"),
        (definition(step("a", "b"), step("b", "a")), "Steps wait for each other"),
        (definition(gate(Type="Like")), "Unknown condition type Like"),
        (definition({**step("a"), "Type": "EMR"}), "does not implement pipeline steps of type EMR"),
    ],
)
def test_definition_that_cannot_run_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ServiceError, match=complaint):
        parse(text)


PARAMETERS = (
    {"Name": "Uri", "Type": "String"},
    {"Name": "Rows", "Type": "Integer", "DefaultValue": 5},
    {"Name": "Loud", "Type": "Boolean", "DefaultValue": False},
    {"Name": "Size", "Type": "String", "DefaultValue": "small", "EnumValues": ["small", "large"]},
)


def test_parameters_have_their_type() -> None:
    values = parse(definition(parameters=PARAMETERS)).values({"Uri": "s3://b", "Rows": "7", "Loud": "True"})
    assert values == {"Uri": "s3://b", "Rows": 7, "Loud": True, "Size": "small"}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "Uri has no default"),
        ({"Uri": "u", "Colour": "blue"}, r"Unknown pipeline parameters: \[Colour\]"),
        ({"Uri": "u", "Rows": "many"}, "Rows must be of type Integer: 'many'"),
        ({"Uri": "u", "Size": "huge"}, "Size must be one of"),
        ({"Uri": "u", "Loud": "yes"}, "Loud must be of type Boolean: 'yes'"),
    ],
)
def test_wrong_parameters_are_refused(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(ServiceError, match=complaint):
        parse(definition(parameters=PARAMETERS)).values(given)
