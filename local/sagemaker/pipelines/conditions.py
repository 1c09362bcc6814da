"""The conditions of a Condition step."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from local.sagemaker.pipelines.resolve import Scope, UnresolvedError, resolve

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}

TYPES = (*_COMPARISONS, "In", "Not", "Or")


def holds(condition: Mapping[str, Any], scope: Scope) -> bool:
    """Whether one condition is met.

    Raises:
        UnresolvedError: a value of it leads to nothing, or the two cannot be compared.
    """
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Expression"], scope)
    if kind == "Or":
        return any(holds(part, scope) for part in condition["Conditions"])
    if kind == "In":
        return resolve(condition["QueryValue"], scope) in resolve(condition["Values"], scope)
    left, right = resolve(condition["LeftValue"], scope), resolve(condition["RightValue"], scope)
    try:
        return bool(_COMPARISONS[kind](left, right))
    except TypeError as error:
        raise UnresolvedError(f"{left!r} and {right!r} cannot be compared by {kind}") from error


def all_hold(conditions: list[Mapping[str, Any]], scope: Scope) -> bool:
    """A Condition step's outcome: every condition must be met."""
    return all(holds(condition, scope) for condition in conditions)
