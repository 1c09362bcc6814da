"""The search for an estimator's parameters: what is tried, how often, and what counts as better.

SageMaker hands a trial its parameters as texts; `Range` says what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from contract.names.estimators import Estimator

Strategy = Literal["Bayesian", "Random"]
Kind = Literal["integer", "float", "category"]
Scale = Literal["linear", "log"]

OBJECTIVES = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
"""The default objective of a search, by kind of problem."""
PREFIX = "validation:"
"""The prefix of metrics of rows set aside for the search, in a job's log and in SageMaker."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """The range of one parameter: from `minimum` to `maximum`, inclusive, or one of `values`."""

    type: Kind
    minimum: float | None = None
    maximum: float | None = None
    scale: Scale = "linear"
    values: tuple[str | int | float | bool, ...] = ()

    def text(self, value: Any) -> str:
        """A value as SageMaker carries it."""
        if self.type == "integer":
            return str(int(value))
        return value if isinstance(value, str) else json.dumps(value)

    def value(self, text: str) -> Any:
        """The value that a text stands for.

        Raises:
            ValueError: it is none of this range.
        """
        if self.type == "category":
            known: dict[str, Any] = {self.text(value): value for value in self.values}
            if text not in known:
                raise ValueError(f"{text!r} is none of {', '.join(known)}")
            return known[text]
        return int(text) if self.type == "integer" else float(text)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read it back from a contract's document."""
        return cls(**{**document, "values": tuple(document["values"])})


@dataclass(frozen=True, kw_only=True)
class Search:
    """The settings of a search for parameters. With one job there is none.

    `objective` is a metric of rows that are neither trained on nor held out. `warm_start_from`
    names earlier tuning jobs to begin from.
    """

    max_jobs: int = 1
    max_parallel_jobs: int = 2
    strategy: Strategy = "Bayesian"
    objective: str = ""
    early_stopping: bool = False
    warm_start_from: tuple[str, ...] = ()
    parameters: Mapping[str, Range] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.max_jobs > 1

    def read(self, hyperparameters: Mapping[str, str]) -> dict[str, Any]:
        """A trial's parameters from what SageMaker hands it, which may be more.

        Raises:
            ValueError: one is not there, or means nothing.
        """
        missing = sorted(self.parameters.keys() - hyperparameters.keys())
        if missing:
            raise ValueError(f"the trial was not given {', '.join(missing)}")
        return {name: known.value(hyperparameters[name]) for name, known in self.parameters.items()}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read it back from a contract's document."""
        ranges = {name: Range.of(range_) for name, range_ in document["parameters"].items()}
        return cls(
            **{
                **document,
                "warm_start_from": tuple(document["warm_start_from"]),
                "parameters": ranges,
            }
        )


def _integers(least: int, most: int, scale: Scale = "linear") -> Range:
    return Range(type="integer", minimum=least, maximum=most, scale=scale)


def _floats(least: float, most: float, scale: Scale = "linear") -> Range:
    return Range(type="float", minimum=least, maximum=most, scale=scale)


def default_space(estimator: str) -> Mapping[str, Range]:
    """Return the parameters searched of a built-in estimator by default; none of any other.

    The bounds leave out what only costs time, and what makes exported graphs too large to serve.
    """
    return _SPACES.get(estimator, {})


_SPACES: Mapping[str, Mapping[str, Range]] = {
    Estimator.LOGISTIC_REGRESSION: {"C": _floats(1e-3, 1e2, "log")},
    Estimator.RIDGE_REGRESSION: {"alpha": _floats(1e-3, 1e3, "log")},
    Estimator.HIST_GRADIENT_BOOSTING: {
        "learning_rate": _floats(0.02, 0.3, "log"),
        "max_iter": _integers(50, 400, "log"),
        "max_leaf_nodes": _integers(8, 64, "log"),
        "min_samples_leaf": _integers(5, 100, "log"),
        "l2_regularization": _floats(1e-3, 10.0, "log"),
    },
    Estimator.RANDOM_FOREST: {
        "n_estimators": _integers(100, 300),
        "max_features": _floats(0.1, 1.0),
        "min_samples_leaf": _integers(2, 30, "log"),
    },
}
