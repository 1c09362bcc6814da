"""Arguments held against botocore's shapes, in the words of AWS's own validation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

from local.sagemaker.errors import ServiceError, invalid

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
}


@lru_cache
def service_model(service: str = "sagemaker") -> ServiceModel:
    """The model that boto3 and the AWS CLI speak from."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def input_shape(operation: str, service: str = "sagemaker") -> StructureShape:
    """Shape of an operation's arguments."""
    shape = service_model(service).operation_model(operation).input_shape
    assert shape is not None, f"{operation} takes no arguments"
    return shape


def output_shape(operation: str) -> StructureShape:
    """Shape of an operation's answer."""
    shape = service_model().operation_model(operation).output_shape
    assert shape is not None, f"{operation} answers nothing"
    return shape


def check(operation: str, arguments: Mapping[str, Any], service: str = "sagemaker") -> None:
    """Refuse arguments that do not fit an operation's input.

    Raises:
        ServiceError: SerializationException for a wrong type, else ValidationException naming
            every violated constraint.
    """
    found = list(violations(arguments, input_shape(operation, service), ""))
    if found:
        plural = "error" if len(found) == 1 else "errors"
        raise invalid(f"{len(found)} validation {plural} detected: {'; '.join(found)}")


def violations(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """A sentence for each constraint that a value violates.

    Raises:
        ServiceError: the value's type is not the shape's (AWS fails to parse such a request).
    """
    expected = _PYTHON_TYPES.get(shape.type_name, (object,))
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        raise ServiceError(
            "SerializationException",
            f"{type(value).__name__} value found at '{path}' where {shape.type_name} is expected",
        )
    checks: Callable[..., Iterator[str]] = _CHECKS.get(shape.type_name, _number)
    yield from checks(value, shape, path)


def _structure(value: dict[str, Any], shape: StructureShape, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, item in value.items():
        if item is None:
            continue
        if name not in shape.members:
            # AWS ignores such a member; here it is a typing error that would go unnoticed.
            yield (
                f"Value at '{_join(path, name)}' failed to satisfy constraint: "
                f"Member must be one of [{', '.join(shape.members)}]"
            )
        else:
            yield from violations(item, shape.members[name], _join(path, name))


def _list(value: list[Any], shape: ListShape, path: str) -> Iterator[str]:
    yield from _length(value, shape, path)
    for index, item in enumerate(value, start=1):
        yield from violations(item, shape.member, f"{path}.{index}.member")


def _map(value: dict[str, Any], shape: MapShape, path: str) -> Iterator[str]:
    yield from _length(value, shape, path)
    for key, item in value.items():
        yield from violations(key, shape.key, f"{path}.key")
        yield from violations(item, shape.value, f"{path}.{key}.member")


def _string(value: str, shape: StringShape, path: str) -> Iterator[str]:
    yield from _length(value, shape, path)
    if shape.enum and value not in shape.enum:
        yield _violation(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _number(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if shape.type_name in ("boolean", "timestamp"):
        return
    if value < shape.metadata.get("min", value):
        yield _violation(
            value, path, f"Member must have value greater than or equal to {shape.metadata['min']}"
        )
    if value > shape.metadata.get("max", value):
        yield _violation(value, path, f"Member must have value less than or equal to {shape.metadata['max']}")


def _length(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if len(value) < shape.metadata.get("min", 0):
        yield _violation(
            value, path, f"Member must have length greater than or equal to {shape.metadata['min']}"
        )
    if len(value) > shape.metadata.get("max", len(value)):
        yield _violation(
            value, path, f"Member must have length less than or equal to {shape.metadata['max']}"
        )


_CHECKS: dict[str, Callable[..., Iterator[str]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
}


def _violation(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    """AWS writes members as they are in its Java classes: the first letter small."""
    return f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")


def _matches(pattern: str, value: str) -> bool:
    compiled = _compile(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


# Java's character classes as ranges: SageMaker's patterns use them only inside of brackets.
_CLASSES = {"\\p{L}": "A-Za-z\u00aa-\uffff", "\\p{N}": "0-9", "\\p{Z}": "\\s"}


@cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    """A Java pattern for Python. None where Python has no equal: that constraint is left to AWS."""
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


def project(record: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """The members of a record that a structure has and the record knows."""
    assert isinstance(shape, StructureShape)
    return {name: record[name] for name in shape.members if record.get(name) is not None}
