"""Gates: the conditions a model must meet before it is registered, and what they may name.

A gate names a metric ("roc_auc") or, with dots, anything else that `evaluate` finds out:

  fairness.<sensitive feature>.<disparity>   between its groups (`DISPARITIES`)
  slices.worst                               the metric of slices in the worst of them
  importance.<feature>                       permutation importance
  robustness.<change>                        changed minus unchanged (`CHANGES`)
  serving.<cost>                             of the model server (`SERVING`)
  parity.largest_difference                  between ONNX and scikit-learn
  champion.<metric>                          against the live model, on the same rows
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from contract.schema import Contract

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_NUMBER = r"((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_GATE = re.compile(rf"\s*(>=|<=|>|<)\s*([+-]?){_NUMBER}\s*")
_CHAMPION_GATE = re.compile(rf"\s*(not worse|better)(?:\s+by\s+{_NUMBER}\s*(%?))?\s*")

METRICS: dict[str, tuple[str, ...]] = {
    "binary": ("accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "log_loss", "brier", "ece"),
    "multiclass": ("accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "log_loss", "brier", "ece"),
    "regression": ("rmse", "mae", "r2", "absolute_error_p50", "absolute_error_p90", "absolute_error_p99"),
}
"""The metrics `evaluate` computes for each kind of problem."""

LOWER_IS_BETTER = frozenset(
    (
        "log_loss",
        "brier",
        "ece",
        "rmse",
        "mae",
        "absolute_error_p50",
        "absolute_error_p90",
        "absolute_error_p99",
    )
)
"""Of the metrics, those of which less is better."""

PRIMARY = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "mae"}
"""The metric that slices, importances and robustness are told in, unless the contract names another."""

DISPARITIES: dict[str, tuple[str, ...]] = {
    "binary": (
        "demographic_parity_difference",
        "demographic_parity_ratio",
        "equal_opportunity_difference",
        "equalized_odds_difference",
        "accuracy_difference",
    ),
    "multiclass": (
        "demographic_parity_difference",
        "equal_opportunity_difference",
        "accuracy_difference",
    ),
    "regression": ("mean_prediction_difference", "mean_residual_difference", "mae_difference"),
}
"""The statistics compared between the groups of a sensitive feature: largest difference or smallest ratio."""

SERVING = (
    "artifact_bytes",
    "latency_p50_ms",
    "latency_p99_ms",
    "latency_100_rows_p50_ms",
    "latency_100_rows_p99_ms",
    "memory_mib",
)
"""The measurements of the model server."""

CHAMPION = "champion."
DEFAULT_MARGIN_PERCENT = 1.0


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
        return cls(metric=metric, comparison=match[1], limit=float(match[2] + match[3]))

    @property
    def condition(self) -> str:
        """The condition, plainly written."""
        return f"{self.comparison} {self.limit:g}"

    def passes(self, value: float) -> bool:
        """Return True if a value meets the gate. NaN meets none."""
        return _OPERATORS[self.comparison](value, self.limit)

    def __str__(self) -> str:
        return f"{self.metric} {self.condition}"


@dataclass(frozen=True, kw_only=True)
class ChampionGate:
    """With 95 % confidence, `metric` must be better than the live model's, or not worse, by a margin.

    `margin` is in the metric's unit, or in percent of the live model's value.
    """

    metric: str
    claim: str
    margin: float
    percent: bool

    @classmethod
    def parse(cls, metric: str, condition: str) -> Self:
        """Read `"not worse"`, `"better"`, `"not worse by 0.01"` or `"not worse by 2%"`.

        Without a margin, "not worse" means by `DEFAULT_MARGIN_PERCENT` and "better" by anything.

        Raises:
            ValueError: it is no such condition.
        """
        match = _CHAMPION_GATE.fullmatch(condition)
        if match is None:
            raise ValueError(f"{condition!r} is not a condition such as 'not worse by 0.01'")
        claim, margin, percent = match.groups()
        if margin is None:
            least = DEFAULT_MARGIN_PERCENT if claim == "not worse" else 0.0
            return cls(metric=metric, claim=claim, margin=least, percent=True)
        return cls(metric=metric, claim=claim, margin=float(margin), percent=bool(percent))

    @property
    def condition(self) -> str:
        """The condition with its margin, plainly written."""
        if not self.margin:
            return self.claim
        return f"{self.claim} by {self.margin:g}{' %' if self.percent else ''}"

    @property
    def measured(self) -> str:
        """The metric that both models are compared in."""
        return self.metric.removeprefix(CHAMPION)

    def allowed(self, champion: float) -> float:
        """The margin in the metric's unit, given the live model's value."""
        return self.margin / 100 * abs(champion) if self.percent else self.margin

    def passes(self, champion: float, low: float, high: float) -> bool:
        """Return True if the interval of challenger minus champion is on the right side of the margin."""
        worst = -high if self.measured in LOWER_IS_BETTER else low
        allowed = self.allowed(champion)
        return worst >= -allowed if self.claim == "not worse" else worst > allowed

    def __str__(self) -> str:
        return f"{self.metric}: {self.condition}"


def parse(name: str, condition: str) -> Gate | ChampionGate:
    """One line of `[gates]`.

    Raises:
        ValueError: the condition is not one for this name.
    """
    kind = ChampionGate if name.startswith(CHAMPION) else Gate
    return kind.parse(name, condition)


def names(contract: Contract) -> Iterator[str]:
    """Everything a gate of this model may name."""
    metrics = METRICS[contract.problem]
    yield from metrics
    yield from (f"{CHAMPION}{metric}" for metric in metrics)
    yield "slices.worst"
    yield from (f"fairness.{f}.{name}" for f in contract.sensitive for name in DISPARITIES[contract.problem])
    yield from (f"robustness.{change}" for change in changes(contract))
    yield from (f"serving.{cost}" for cost in SERVING)
    yield "parity.largest_difference"
    yield from (f"importance.{name}" for name in contract.feature_names)


def changes(contract: Contract) -> Iterator[str]:
    """The changes to the holdout that a model's features allow.

    `noise`: numbers and datetimes move by a normal error of a tenth of their standard deviation.
    `missing`: a tenth of the values that may be missing are. `unseen`: a tenth of the values of
    categories with an open set are ones that training never saw.
    """
    if contract.numeric:
        yield "noise"
    if any(not feature.required for feature in contract.features):
        yield "missing"
    if any(feature.values is None for feature in contract.categorical):
        yield "unseen"
