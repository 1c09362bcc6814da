"""The built-in estimators, by the names that `model.toml` gives them."""

from __future__ import annotations

from enum import StrEnum


class Estimator(StrEnum):
    """A built-in estimator."""

    HIST_GRADIENT_BOOSTING = "hist-gradient-boosting"
    RANDOM_FOREST = "random-forest"
    LOGISTIC_REGRESSION = "logistic-regression"
    """Of classes."""
    RIDGE_REGRESSION = "ridge-regression"
    """Of numbers."""


def built_in(problem: str) -> tuple[Estimator, ...]:
    """The built-in estimators of a kind of problem, the usual one first."""
    linear = Estimator.RIDGE_REGRESSION if problem == "regression" else Estimator.LOGISTIC_REGRESSION
    return (Estimator.HIST_GRADIENT_BOOSTING, linear, Estimator.RANDOM_FOREST)
