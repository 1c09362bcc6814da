"""A pipeline definition: read, checked, and its steps' order worked out. No AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local.sagemaker.errors import invalid, not_implemented
from local.sagemaker.pipelines import conditions
from local.sagemaker.pipelines.resolve import references, step_of

STEP_TYPES = ("Processing", "Training", "Tuning", "RegisterModel", "Model", "Condition", "Fail")
_BOOLEANS = {"true": True, "false": False}
_PARAMETER_TYPES: dict[str, Callable[[str], Any]] = {
    "String": str,
    "Integer": int,
    "Float": float,
    "Boolean": lambda text: _BOOLEANS[text.lower()],
}

Step = Mapping[str, Any]


@dataclass(frozen=True)
class Definition:
    """A definition that was checked: references lead to something, and no step waits for itself."""

    document: Mapping[str, Any]

    @property
    def steps(self) -> list[Step]:
        """The steps outside of any condition."""
        return list(self.document["Steps"])

    @property
    def parameters(self) -> dict[str, Mapping[str, Any]]:
        """The declared parameters by name."""
        return {parameter["Name"]: parameter for parameter in self.document.get("Parameters", [])}

    def values(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The parameters' values for one execution, each of its declared type.

        Raises:
            ServiceError: one is unknown, missing, of another type or not in its set.
        """
        unknown = sorted(given.keys() - self.parameters.keys())
        if unknown:
            raise invalid(f"Unknown pipeline parameters: [{', '.join(unknown)}]")
        return {name: _value(parameter, given.get(name)) for name, parameter in self.parameters.items()}


def parse(text: str) -> Definition:
    """Read and check a definition.

    Raises:
        ServiceError: it cannot run; 501 where the local cloud lacks what it asks for.
    """
    try:
        definition = Definition(json.loads(text))
        steps = list(every(definition.steps))
        _check(definition, steps)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise invalid(f"Unable to parse pipeline definition. {type(error).__name__}: {error}") from error
    return definition


def every(steps: list[Step]) -> Iterator[Step]:
    """All steps, those inside of conditions, too."""
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            yield from every([*step["Arguments"]["IfSteps"], *step["Arguments"]["ElseSteps"]])


def dependencies(step: Step) -> set[str]:
    """Names of the steps that must have succeeded before this one starts."""
    explicit = {_depended_on(item) for item in step.get("DependsOn", [])}
    arguments = step["Arguments"]
    own = arguments["Conditions"] if step["Type"] == "Condition" else arguments
    return explicit | {name for path in references(own) if (name := step_of(path))}


def _depended_on(item: Any) -> str:
    path = item["Get"] if isinstance(item, dict) else item
    return step_of(path) or path


def _check(definition: Definition, steps: list[Step]) -> None:
    names = [step["Name"] for step in steps]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise invalid(f"Unable to parse pipeline definition. Step names must be unique: [{', '.join(twice)}]")
    for step in steps:
        _check_supported(step)
        for path in references(step["Arguments"]):
            _check_reference(path, step["Name"], definition, names)
        for name in dependencies(step) - set(names):
            raise invalid(
                f"Unable to parse pipeline definition. Step {step['Name']} depends on unknown step {name}"
            )
    try:
        TopologicalSorter({step["Name"]: dependencies(step) for step in steps}).prepare()
    except CycleError as error:
        raise invalid(
            f"Unable to parse pipeline definition. Steps wait for each other: {error.args[1]}"
        ) from error


def _check_supported(step: Step) -> None:
    if step["Type"] not in STEP_TYPES:
        raise not_implemented(f"pipeline steps of type {step['Type']}")
    if step["Type"] == "Condition":
        for condition in step["Arguments"]["Conditions"]:
            if condition["Type"] not in conditions.TYPES:
                raise invalid(
                    f"Unable to parse pipeline definition. Unknown condition type {condition['Type']}"
                )


def _check_reference(path: str, step: str, definition: Definition, names: list[str]) -> None:
    root, _, rest = path.partition(".")
    known = {
        "Parameters": rest in definition.parameters,
        "Execution": bool(rest),
        "Steps": step_of(path) in names,
    }
    if not known.get(root, False):
        raise invalid(f"Unable to parse pipeline definition. Step {step} refers to unknown {path}")


def _value(parameter: Mapping[str, Any], given: str | None) -> Any:
    name, kind = parameter["Name"], parameter.get("Type", "String")
    if given is None:
        if "DefaultValue" not in parameter:
            raise invalid(f"Pipeline parameter {name} has no default and needs a value")
        return parameter["DefaultValue"]
    try:
        value = _PARAMETER_TYPES[kind](given)
    except (ValueError, KeyError) as error:
        raise invalid(f"Pipeline parameter {name} must be of type {kind}: {given!r}") from error
    if parameter.get("EnumValues") and value not in parameter["EnumValues"]:
        raise invalid(f"Pipeline parameter {name} must be one of {parameter['EnumValues']}: {given!r}")
    return value
