"""Values of a pipeline definition: references and functions, worked out. No AWS, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"""\.?([A-Za-z0-9_-]+)|\[['"]([^'"]*)['"]\]|\[(\d+)\]""")
_STEP = re.compile(r"Steps\.([A-Za-z0-9_-]+)(.*)", re.DOTALL)

_KEYS = {"Outputs": "OutputName", "ProcessingInputs": "InputName", "InputDataConfig": "ChannelName"}
"""Lists whose members are referred to by a name of theirs."""

_FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")


class UnresolvedError(ValueError):
    """A reference leads to nothing; the message says which."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a definition's references can see while it runs."""

    parameters: Mapping[str, Any]
    execution: Mapping[str, Any]
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What Describe answers about each step that has succeeded."""
    read_property_file: Callable[[str, str], Any] | None = None
    """`(step, property file)`: the JSON document that the step wrote."""


def resolve(value: Any, scope: Scope) -> Any:
    """A value with every reference and function in it replaced by what it stands for.

    Raises:
        UnresolvedError: one leads to nothing.
    """
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    if not isinstance(value, dict):
        return value
    function = _function(value)
    if function == "Get":
        return _get(value["Get"], scope)
    if function == "Std:Join":
        join = value["Std:Join"]
        return resolve(join["On"], scope).join(_text(resolve(item, scope)) for item in join["Values"])
    if function == "Std:JsonGet":
        return _json_get(value["Std:JsonGet"], scope)
    return {name: resolve(item, scope) for name, item in value.items()}


def references(value: Any) -> Iterator[str]:
    """Every `Get` path in a value."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if _function(value) == "Get":
            yield value["Get"]
        else:
            for item in value.values():
                yield from references(item)


def step_of(path: str) -> str | None:
    """Name of the step that a `Get` path leads into."""
    match = _STEP.fullmatch(path)
    return match[1] if match else None


def walk(document: Any, path: str, what: str) -> Any:
    """What a path such as `a.b[0]['c']` leads to.

    Raises:
        UnresolvedError: nothing is there.
    """
    position, last = 0, ""
    while position < len(path):
        token = _TOKEN.match(path, position)
        if token is None:
            raise UnresolvedError(f"{what} is not a path")
        position = token.end()
        name = next(group for group in token.groups() if group is not None)
        try:
            document = _member(document, name, last)
        except (LookupError, TypeError, ValueError) as error:
            raise UnresolvedError(f"{what} does not exist") from error
        last = name
    return document


def _member(document: Any, name: str, list_name: str) -> Any:
    if not isinstance(document, list):
        return document[name]
    if list_name in _KEYS and not name.isdigit():
        return {item[_KEYS[list_name]]: item for item in document}[name]
    return document[int(name)]


def _function(value: Mapping[str, Any]) -> str | None:
    name = next(iter(value), None) if len(value) == 1 else None
    return name if name in _FUNCTIONS else None


def _get(path: str, scope: Scope) -> Any:
    root, _, rest = path.partition(".")
    if root == "Parameters":
        return walk(scope.parameters, rest, path)
    if root == "Execution":
        return walk(scope.execution, rest, path)
    match = _STEP.fullmatch(path)
    if match is None or match[1] not in scope.steps:
        raise UnresolvedError(f"{path} does not exist")
    return walk(scope.steps[match[1]], match[2], path)


def _json_get(function: Mapping[str, Any], scope: Scope) -> Any:
    path = function["PropertyFile"]["Get"]
    match = re.fullmatch(r"Steps\.([A-Za-z0-9_-]+)\.PropertyFiles\.(.+)", path)
    if match is None:
        raise UnresolvedError(f"{path} is not a property file")
    where = resolve(function["Path"], scope)
    assert scope.read_property_file is not None
    return walk(scope.read_property_file(match[1], match[2]), where, f"{path}: {where}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
