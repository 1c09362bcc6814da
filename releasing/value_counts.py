"""What was measured of requests: how many had each value between 0 (all well) and 1 (all wrong)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Values = Mapping[float, float]
"""By value, the number of requests."""


def events(requests: int, hits: int) -> dict[float, float]:
    """The values of requests of which some are wrong and the others right."""
    return {0.0: max(requests - hits, 0), 1.0: hits}


def size(values: Values) -> float:
    """How many values there are."""
    return sum(values.values())


def total(values: Values) -> float:
    """Their sum."""
    return sum(value * count for value, count in values.items())


def mean(values: Values) -> float | None:
    """The mean value; None where there is none."""
    return total(values) / size(values) if size(values) else None


def added(left: Values, right: Values) -> dict[float, float]:
    """The values of both."""
    both = dict(left)
    for value, count in right.items():
        both[value] = both.get(value, 0) + count
    return both


def to_json(values: Values) -> dict[str, float]:
    """A document, whose keys are texts."""
    return {repr(value): count for value, count in values.items()}


def from_json(document: Mapping[str, Any]) -> dict[float, float]:
    """The values of a document."""
    return {float(value): float(count) for value, count in document.items()}


def log_mean(logarithms: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """The logarithm of the mean of numbers that are given by theirs."""
    largest = max(logarithms)
    if largest == -math.inf:
        return largest
    shares = weights or [1 / len(logarithms)] * len(logarithms)
    terms = (share * math.exp(each - largest) for share, each in zip(shares, logarithms, strict=True))
    return largest + math.log(sum(terms))
