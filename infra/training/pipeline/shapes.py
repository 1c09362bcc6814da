"""botocore's shapes of SageMaker's calls, and whether a step's arguments have them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape

EXPRESSIONS = ({"Get"}, {"Std:Join"}, {"Std:JsonGet"})
_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


@cache
def _service() -> Any:
    return botocore.session.Session().get_service_model("sagemaker")


@cache
def operation(name: str) -> OperationModel:
    """A SageMaker operation, such as `CreateTrainingJob`."""
    model: OperationModel = _service().operation_model(name)
    return model


def conform(value: Any, shape: Any, path: str, *, given: Collection[str] = ()) -> Iterator[str]:
    """A sentence for each way in which a value has not the shape.

    Members in `given` may be missing: SageMaker gives them. A pipeline expression fits any shape,
    for it is a value only when the pipeline runs.
    """
    if isinstance(value, dict) and set(value) in EXPRESSIONS:
        return
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(value, shape, path, given)
    elif kind == "list":
        if not isinstance(value, list):
            yield f"{path}: found {value!r}; a list is needed"
            return
        for index, item in enumerate(value):
            yield from conform(item, shape.member, f"{path}[{index}]")
    elif kind == "map":
        if not isinstance(value, dict):
            yield f"{path}: found {value!r}; a map is needed"
            return
        for key, item in value.items():
            yield from conform(item, shape.value, f"{path}.{key}")
    elif not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: found {value!r}; {kind} is needed"
    else:
        yield from _scalar(value, shape, path)


def _structure(value: Any, shape: Any, path: str, given: Collection[str]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: found {value!r}; a structure {shape.name} is needed"
        return
    for name in shape.required_members:
        if name not in value and name not in given:
            yield f"{path}.{name}: is required and missing"
    for name, item in value.items():
        if name in shape.members:
            yield from conform(item, shape.members[name], f"{path}.{name}")
        else:
            yield f"{path}.{name}: {shape.name} has no such member"


def _scalar(value: Any, shape: Any, path: str) -> Iterator[str]:
    limits = shape.metadata
    size = len(value) if isinstance(value, str) else value
    if "min" in limits and size < limits["min"]:
        yield f"{path}: {value!r} is under the minimum, {limits['min']}"
    if "max" in limits and size > limits["max"]:
        yield f"{path}: {value!r} is over the maximum, {limits['max']}"
    if limits.get("enum") and value not in limits["enum"]:
        yield f"{path}: found {value!r}; allowed: {', '.join(limits['enum'])}"
    if "pattern" in limits and not _matches(limits["pattern"], value):
        yield f"{path}: {value!r} does not match {limits['pattern']}"


def _matches(pattern: str, value: str) -> bool:
    python = pattern.replace(r"\p{L}", "a-zA-Z").replace(r"\p{Z}", r"\s").replace(r"\p{N}", "0-9")
    try:
        return re.fullmatch(python, value) is not None
    except re.error:  # two of AWS's patterns are no regular expressions
        return True


def has_property(shape: Shape | None, path: str) -> bool:
    """Return True if a path such as `Outputs['train'].S3Output.S3Uri` leads anywhere in a shape."""
    here: Any = shape
    for part in re.findall(r"\w+|\['[^']*'\]|\[\d+\]", path):
        kind = here.type_name
        if kind == "list" and part.startswith("["):
            here = here.member
        elif kind == "map":
            here = here.value
        elif kind == "structure" and part in here.members:
            here = here.members[part]
        else:
            return False
    return True
