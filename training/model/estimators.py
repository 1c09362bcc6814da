"""The estimators a model may name: built-in ones, or a function in its own folder.

A builder takes what the matrix's columns are, the kind of problem, a seed and the
contract's parameters, and returns an unfitted scikit-learn estimator that skl2onnx can
export. `models/README.md` documents it for those who write their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from container.errors import ModelCodeError
from contract.names.estimators import Estimator
from contract.schema import Contract
from training.features.estimator_input import Columns

log = logging.getLogger(__name__)

Builder = Callable[..., Any]


def build(contract: Contract, columns: Columns) -> Any:
    """The unfitted estimator that a contract names, with its parameters.

    Raises:
        ModelCodeError: there is none of that name, or it does not take the parameters.
    """
    named = contract.training.estimator
    try:
        builder = BUILT_IN[named] if named in BUILT_IN else _own(contract.model, named)
        return builder(
            columns, problem=contract.problem, seed=contract.training.seed, **contract.training.parameters
        )
    except Exception as error:
        log.exception("estimator %s", named)
        raise ModelCodeError(
            f"estimator {named!r} cannot be built: {type(error).__name__}: {error}"
        ) from error


def hist_gradient_boosting(_columns: Columns, *, problem: str, seed: int, **parameters: Any) -> Any:
    """Gradient-boosted trees on histograms. Missing numbers need no imputing."""
    kind = HistGradientBoostingRegressor if problem == "regression" else HistGradientBoostingClassifier
    return kind(random_state=seed, **parameters)


def random_forest(columns: Columns, *, problem: str, seed: int, **parameters: Any) -> Any:
    """Averaged trees. Missing numbers take the column's median."""
    kind = RandomForestRegressor if problem == "regression" else RandomForestClassifier
    # Leaves of several rows keep the exported graph, and its answer, within bounds.
    forest = kind(random_state=seed, **{"min_samples_leaf": 3, **parameters})
    impute = _by_column([("numbers", _imputer(), _numbers(columns))])
    return Pipeline([("impute", impute), ("forest", forest)])


def logistic_regression(columns: Columns, *, problem: str, seed: int, **parameters: Any) -> Any:
    """Linear in scaled numbers, in an indicator of each code or part of a date, in weights of words."""
    if problem == "regression":
        raise ValueError("it predicts classes; ridge-regression predicts a number")
    logistic = LogisticRegression(random_state=seed, **{"max_iter": 1000, **parameters})
    return Pipeline([("prepare", _scaled(columns)), ("logistic", logistic)])


def ridge_regression(columns: Columns, *, problem: str, seed: int, **parameters: Any) -> Any:
    """The same of a number: least squares with a penalty on large coefficients."""
    if problem != "regression":
        raise ValueError("it predicts a number; logistic-regression predicts classes")
    return Pipeline([("prepare", _scaled(columns)), ("ridge", Ridge(random_state=seed, **parameters))])


def _scaled(columns: Columns) -> ColumnTransformer:
    coded = [*columns.categories, *columns.dates]
    codes = [np.arange(size, dtype=np.float32) for _, size in coded]
    first = len(columns.numbers)
    indicators = OneHotEncoder(
        categories=codes, handle_unknown="ignore", sparse_output=False, dtype=np.float32
    )
    return _by_column(
        [
            ("numbers", make_pipeline(_imputer(), StandardScaler()), _numbers(columns)),
            ("categories", indicators, list(range(first, first + len(coded)))),
        ]
    )


BUILT_IN: dict[str, Builder] = {
    Estimator.HIST_GRADIENT_BOOSTING: hist_gradient_boosting,
    Estimator.RANDOM_FOREST: random_forest,
    Estimator.LOGISTIC_REGRESSION: logistic_regression,
    Estimator.RIDGE_REGRESSION: ridge_regression,
}


def _own(model: str, named: str) -> Builder:
    module, _, function = named.partition(":")
    builder: Builder = getattr(import_module(f"models.{model}.{module}"), function)
    return builder


def _numbers(columns: Columns) -> list[int]:
    """Return the places of numbers that may be missing and of any size: the contract's and the model's."""
    own = len(columns.own)
    after = len(columns.numbers) + len(columns.categories) + len(columns.dates) + len(columns.words)
    return [*range(len(columns.numbers)), *range(after, after + own)]


def _by_column(parts: list[tuple[str, Any, list[int]]]) -> ColumnTransformer:
    return ColumnTransformer([part for part in parts if part[2]], remainder="passthrough")


def _imputer() -> SimpleImputer:
    return SimpleImputer(strategy="median", keep_empty_features=True)
