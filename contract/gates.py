"""Gates: the conditions a metric must meet before a model is registered."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_GATE = re.compile(r"\s*(>=|<=|>|<)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")

METRICS: dict[str, tuple[str, ...]] = {
    "binary": ("accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "log_loss", "brier"),
    "multiclass": ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
}
"""The metrics `evaluate` computes for each kind of problem, and so what a gate may name."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """`metric` must compare as stated with `limit`."""

    metric: str
    comparison: str
    limit: float

    @classmethod
    def parse(cls, metric: str, condition: str) -> Self:
        """Read a condition such as `">= 0.88"`.

        Raises:
            ValueError: it is not a comparison with a number.
        """
        match = _GATE.fullmatch(condition)
        if match is None:
            raise ValueError(f"{condition!r} is not a condition such as '>= 0.88'")
        return cls(metric=metric, comparison=match[1], limit=float(match[2]))

    def passes(self, value: float) -> bool:
        """Whether a value meets the gate. NaN meets none."""
        return _OPERATORS[self.comparison](value, self.limit)

    def __str__(self) -> str:
        return f"{self.metric} {self.comparison} {self.limit:g}"


def missed(gates: Mapping[str, str], metrics: Mapping[str, float]) -> list[str]:
    """A sentence for each gate that the metrics do not meet, in the order of the gates."""
    parsed = [Gate.parse(metric, condition) for metric, condition in gates.items()]
    return [
        f"{gate.metric} is {metrics[gate.metric]:.4g} and must be {gate.comparison} {gate.limit:g}"
        for gate in parsed
        if not gate.passes(metrics[gate.metric])
    ]
