"""Gradient-boosted trees as skl2onnx exports them, where it gets their loss or their splits wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from skl2onnx.common._registration import get_converter
from sklearn._loss.link import LogLink
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

_REGRESSOR = "SklearnHistGradientBoostingRegressor"
_CLASSIFIER = "SklearnHistGradientBoostingClassifier"

Converter = Callable[[Any, Any, Any], None]


def _regressor(scope: Any, operator: Any, container: Any) -> None:
    """Add the exponential that a loss with a log link needs: of counts (`poisson`) and amounts (`gamma`)."""
    trees = operator.raw_operator
    _check_splits(trees)
    if not isinstance(trees._loss.link, LogLink):
        get_converter(_REGRESSOR)(scope, operator, container)
        return
    raw = scope.get_unique_variable_name("raw_prediction")
    inner = SimpleNamespace(
        raw_operator=trees,
        inputs=operator.inputs,
        input_full_names=operator.input_full_names,
        outputs=[SimpleNamespace(full_name=raw)],
    )
    get_converter(_REGRESSOR)(scope, inner, container)
    name = scope.get_unique_operator_name("Exp")
    container.add_node("Exp", [raw], [operator.outputs[0].full_name], op_version=13, name=name)


def _classifier(scope: Any, operator: Any, container: Any) -> None:
    _check_splits(operator.raw_operator)
    get_converter(_CLASSIFIER)(scope, operator, container)


def _check_splits(trees: Any) -> None:
    if getattr(trees, "is_categorical_", None) is not None:
        raise NotImplementedError(
            "categorical_features splits by sets of values, and the exporter knows thresholds only: "
            "leave it out, categories are ordered codes then"
        )


CONVERTERS: Mapping[type, Converter] = {
    HistGradientBoostingRegressor: _regressor,
    HistGradientBoostingClassifier: _classifier,
}
"""Instead of skl2onnx's own, by class: within any `Pipeline`, `VotingRegressor` and the like, too."""
