"""Values of a `model.toml` that contradict each other, which no single key shows."""

from __future__ import annotations

from collections.abc import Iterator

from contract import gates, threshold
from contract.gates import METRICS
from contract.names.estimators import Estimator, built_in
from contract.serving import is_result_column
from infra.settings.model import FeatureSettings, ModelSettings
from infra.settings.toml import Problem, suggestion
from infra.settings.validation import rule_problems

_BY_SETS = "categorical_features"
"""A parameter of scikit-learn's gradient-boosted trees that skl2onnx exports wrong."""


def contradictions(model: ModelSettings) -> Iterator[Problem]:
    """Every place at which a model's file says what cannot be true together."""
    yield from _columns(model)
    yield from _target(model)
    yield from _evaluation(model)
    yield from _gates(model)
    yield from rule_problems(model.validation)
    yield from model.training.search.problems(model.problem, model.training.parameters)
    for name, feature in model.features.items():
        yield from _feature(name, feature)
    yield from _training(model)


def _training(model: ModelSettings) -> Iterator[Problem]:
    known = built_in(model.problem)
    if model.training.estimator not in known and ":" not in model.training.estimator:
        hint = suggestion(model.training.estimator, known)
        yield Problem.at(
            "training",
            "estimator",
            found=model.training.estimator,
            allowed=f"{', '.join(known)}, or module:function of this folder{hint}",
        )
    if model.training.estimator == Estimator.HIST_GRADIENT_BOOSTING and (
        _BY_SETS in model.training.parameters or _BY_SETS in model.training.search.parameters
    ):
        allowed = (
            "no such key: sets of values cannot be exported, and categories are ordered codes without it"
        )
        place = ("training", "parameters", _BY_SETS)
        yield Problem.at(*place, found=model.training.parameters.get(_BY_SETS), allowed=allowed)
    if model.training.features is not None and ":" not in model.training.features:
        allowed = "module:function of this folder, such as features:build"
        yield Problem.at("training", "features", found=model.training.features, allowed=allowed)
    if model.training.holdout == "newest" and model.time is None:
        allowed = '"random", or "newest" beside a table [time] that names a column'
        yield Problem.at("training", "holdout", found="newest", allowed=allowed)


def _columns(model: ModelSettings) -> Iterator[Problem]:
    for name in model.features:
        if name == model.target.name:
            yield Problem.at("features", name, found=name, allowed="any column but the target")
        if is_result_column(name):
            yield Problem.at("features", name, found=name, allowed="any name that no result column has")
    if model.row_id and model.row_id.name in {*model.features, model.target.name}:
        yield Problem.at(
            "row_id",
            "name",
            found=model.row_id.name,
            allowed="a column that is neither feature nor target",
        )
    if model.time and model.time.name == model.target.name:
        yield Problem.at("time", "name", found=model.time.name, allowed="any column but the target")
    if model.time and (feature := model.features.get(model.time.name)) and feature.type != "datetime":
        allowed = 'a column that is no feature, or a feature of type = "datetime"'
        yield Problem.at("time", "name", found=model.time.name, allowed=allowed)
    for name in model.fairness.sensitive:
        if name not in model.features:
            allowed = f"names of features{suggestion(name, model.features)}"
            yield Problem.at("fairness", "sensitive", found=name, allowed=allowed)
        elif model.features[name].type == "text":
            yield Problem.at("fairness", "sensitive", found=name, allowed="features of any type but text")


def _target(model: ModelSettings) -> Iterator[Problem]:
    if (model.problem == "binary") != (model.target.positive is not None):
        allowed = (
            'the value of the target that counts as positive, such as "yes"'
            if model.problem == "binary"
            else 'nothing: only problem = "binary" has a positive value'
        )
        yield Problem.at("target", "positive", found=model.target.positive, allowed=allowed)
    if model.target.positive is not None and model.target.positive in model.target.missing:
        allowed = f"anything but {model.target.positive!r}, the positive value"
        yield Problem.at("target", "missing", found=model.target.missing, allowed=allowed)
    if model.problem != "binary" and "threshold" in model.target.model_fields_set:
        allowed = 'nothing: only problem = "binary" has a threshold'
        yield Problem.at("target", "threshold", found=model.target.threshold, allowed=allowed)
    try:
        threshold.parse(model.target.threshold)
    except ValueError:
        yield Problem.at("target", "threshold", found=model.target.threshold, allowed=threshold.ALLOWED)


def _gates(model: ModelSettings) -> Iterator[Problem]:
    known = list(gates.names(model.contract()))
    for name, condition in model.gates.items():
        if name not in known:
            told = f"; allowed: {', '.join(METRICS[model.problem])}, and what docs/configuration.md lists"
            hint = suggestion(name, known)
            yield Problem(("gates", name), f"unknown metric of a {model.problem} problem{hint}{told}")
        try:
            gates.parse(name, condition)
        except ValueError:
            allowed = (
                '"not worse", "better", or either with a margin such as "not worse by 0.01" or "by 2%"'
                if name.startswith(gates.CHAMPION)
                else 'a condition such as ">= 0.88"'
            )
            yield Problem.at("gates", name, found=condition, allowed=allowed)


def _evaluation(model: ModelSettings) -> Iterator[Problem]:
    metric, known = model.evaluation.metric, METRICS[model.problem]
    if metric is not None and metric not in known:
        allowed = f"{', '.join(known)}{suggestion(metric, known)}"
        yield Problem.at("evaluation", "metric", found=metric, allowed=allowed)


def _feature(name: str, feature: FeatureSettings) -> Iterator[Problem]:
    place = ("features", name)
    for key in ("min", "max"):
        if getattr(feature, key) is not None and feature.type != "number":
            found = getattr(feature, key)
            yield Problem.at(*place, key, found=found, allowed='nothing: only type = "number" has it')
    if feature.min is not None and feature.max is not None and feature.min > feature.max:
        yield Problem.at(*place, "max", found=feature.max, allowed=f"at least min, which is {feature.min:g}")
    if feature.values is not None and feature.type != "category":
        yield Problem.at(
            *place, "values", found=feature.values, allowed='nothing: only type = "category" has it'
        )
    if feature.values is not None and len(set(feature.values)) < max(1, len(feature.values)):
        yield Problem.at(*place, "values", found=feature.values, allowed="one or more values, each once")
