"""`models/<name>/model.toml`: what a data scientist says about a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from contract import gates, schema, threshold
from contract.gates import METRICS
from contract.serving import is_result_column
from infra.settings.search import Search
from infra.settings.toml import Problem, SettingsError, Table, read, suggestion, validate
from infra.settings.validation import Rule, compiled_rules, rule_problems

FILE = "model.toml"
_LINEAR = {
    "binary": "logistic-regression",
    "multiclass": "logistic-regression",
    "regression": "ridge-regression",
}
NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
MAX_NAME = 24  # keeps every name that SageMaker limits to 63 characters within it

Column = str


class Target(Table):
    name: Column
    positive: str | None = None
    threshold: Any = threshold.DEFAULT


class RowId(Table):
    name: Column


class Feature(Table):
    type: schema.FeatureType
    required: bool = False
    missing: list[str] = Field(default_factory=list)
    min: float | None = None
    max: float | None = None
    values: list[str] | None = None


class Fairness(Table):
    sensitive: list[Column] = Field(default_factory=list)


class Evaluation(Table):
    metric: str | None = None
    minimum_rows: int = Field(default=schema.Evaluation.minimum_rows, ge=2)


class Time(Table):
    name: Column


class Training(Table):
    estimator: str = schema.Training.estimator
    features: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    holdout_share: float = Field(default=schema.Training.holdout_share, gt=0, lt=1)
    seed: int = Field(default=schema.Training.seed, ge=0, lt=2**32)
    search: Search = Search()


class Serving(Table):
    mode: Literal["endpoint", "serverless", "batch"] = "endpoint"
    capture_percent: int = Field(default=100, ge=0, le=100)
    invocations_per_instance: int = Field(default=6000, ge=1)

    @property
    def has_endpoint(self) -> bool:
        """Whether anything but the batch path scores with the model."""
        return self.mode != "batch"

    @property
    def has_instances(self) -> bool:
        """Whether its endpoint runs on instances: only those are scaled, isolated and captured."""
        return self.mode == "endpoint"


class Model(Table):
    """A validated `model.toml`."""

    name: str = Field(pattern=f"^{NAME}$", max_length=MAX_NAME)
    description: str = ""
    problem: Literal["binary", "multiclass", "regression"]
    target: Target
    row_id: RowId | None = None
    features: dict[Column, Feature] = Field(min_length=1)
    fairness: Fairness = Fairness()
    time: Time | None = None
    validation: dict[str, Rule] = Field(default_factory=dict)
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    gates: dict[str, str] = Field(default_factory=dict)
    serving: Serving = Serving()

    @field_validator("gates", mode="before")
    @classmethod
    def _dotted(cls, gates: object) -> object:
        """TOML reads the dots of an unquoted key as tables: fairness.sex.… is one name again."""
        return dict(_flat("", gates)) if isinstance(gates, dict) else gates

    def contract(self) -> schema.Contract:
        """The plain document that jobs, handlers and the model server read."""
        return schema.Contract(
            model=self.name,
            problem=self.problem,
            description=self.description,
            target=schema.Target(**self.target.model_dump()),
            row_id=self.row_id.name if self.row_id else None,
            features=tuple(
                schema.Feature(
                    name=name,
                    type=feature.type,
                    required=feature.required,
                    missing=tuple(feature.missing),
                    minimum=feature.min,
                    maximum=feature.max,
                    values=None if feature.values is None else tuple(feature.values),
                )
                for name, feature in self.features.items()
            ),
            sensitive=tuple(self.fairness.sensitive),
            time=schema.Time(**self.time.model_dump()) if self.time else None,
            validation=compiled_rules(self.validation),
            training=schema.Training(
                **{**self.training.model_dump(), "search": self.training.search.compiled(self.problem)}
            ),
            evaluation=schema.Evaluation(**self.evaluation.model_dump()),
            gates=dict(self.gates),
        )

    def contradictions(self) -> Iterator[Problem]:
        yield from self._columns()
        yield from self._target()
        yield from self._evaluation()
        yield from self._gates()
        yield from rule_problems(self.validation)
        yield from self.training.search.problems(self.problem, self.training.parameters)
        for name, feature in self.features.items():
            yield from _feature(name, feature)
        known = estimators(self.problem)
        if self.training.estimator not in known and ":" not in self.training.estimator:
            hint = suggestion(self.training.estimator, known)
            yield Problem.at(
                "training",
                "estimator",
                found=self.training.estimator,
                allowed=f"{', '.join(known)}, or module:function of this folder{hint}",
            )

        if self.training.features is not None and ":" not in self.training.features:
            allowed = "module:function of this folder, such as features:build"
            yield Problem.at("training", "features", found=self.training.features, allowed=allowed)

    def _columns(self) -> Iterator[Problem]:
        for name in self.features:
            if name == self.target.name:
                yield Problem.at("features", name, found=name, allowed="any column but the target")
            if is_result_column(name):
                yield Problem.at("features", name, found=name, allowed="any name that no result column has")
        if self.row_id and self.row_id.name in {*self.features, self.target.name}:
            yield Problem.at(
                "row_id",
                "name",
                found=self.row_id.name,
                allowed="a column that is neither feature nor target",
            )
        if self.time and self.time.name == self.target.name:
            yield Problem.at("time", "name", found=self.time.name, allowed="any column but the target")
        if self.time and (feature := self.features.get(self.time.name)) and feature.type != "datetime":
            allowed = 'a column that is no feature, or a feature of type = "datetime"'
            yield Problem.at("time", "name", found=self.time.name, allowed=allowed)
        for name in self.fairness.sensitive:
            if name not in self.features:
                allowed = f"names of features{suggestion(name, self.features)}"
                yield Problem.at("fairness", "sensitive", found=name, allowed=allowed)
            elif self.features[name].type == "text":
                yield Problem.at("fairness", "sensitive", found=name, allowed="features of any type but text")

    def _target(self) -> Iterator[Problem]:
        if (self.problem == "binary") != (self.target.positive is not None):
            allowed = (
                'the value of the target that counts as positive, such as "yes"'
                if self.problem == "binary"
                else 'nothing: only problem = "binary" has a positive value'
            )
            yield Problem.at("target", "positive", found=self.target.positive, allowed=allowed)
        if self.problem != "binary" and "threshold" in self.target.model_fields_set:
            allowed = 'nothing: only problem = "binary" has a threshold'
            yield Problem.at("target", "threshold", found=self.target.threshold, allowed=allowed)
        try:
            threshold.parse(self.target.threshold)
        except ValueError:
            yield Problem.at("target", "threshold", found=self.target.threshold, allowed=threshold.ALLOWED)

    def _gates(self) -> Iterator[Problem]:
        known = list(gates.names(self.contract()))
        for name, condition in self.gates.items():
            if name not in known:
                told = f"; allowed: {', '.join(METRICS[self.problem])}, and what docs/configuration.md lists"
                hint = suggestion(name, known)
                yield Problem(("gates", name), f"unknown metric of a {self.problem} problem{hint}{told}")
            try:
                gates.parse(name, condition)
            except ValueError:
                allowed = (
                    '"not worse", "better", or either with a margin such as "not worse by 0.01" or "by 2%"'
                    if name.startswith(gates.CHAMPION)
                    else 'a condition such as ">= 0.88"'
                )
                yield Problem.at("gates", name, found=condition, allowed=allowed)

    def _evaluation(self) -> Iterator[Problem]:
        metric, known = self.evaluation.metric, METRICS[self.problem]
        if metric is not None and metric not in known:
            allowed = f"{', '.join(known)}{suggestion(metric, known)}"
            yield Problem.at("evaluation", "metric", found=metric, allowed=allowed)


def estimators(problem: schema.Problem) -> tuple[str, ...]:
    """The built-in estimators of a kind of problem."""
    return ("hist-gradient-boosting", _LINEAR[problem], "random-forest")


def _flat(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _feature(name: str, feature: Feature) -> Iterator[Problem]:
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


def load_model(root: Path, name: str) -> Model:
    """Read `models/<name>/model.toml` under a root folder.

    Raises:
        SettingsError: there is no such model, or its file does not fit.
    """
    folder = root / "models"
    known = sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))
    if name not in known or not re.fullmatch(NAME, name):
        raise SettingsError(
            f'there is no model "{name}"{suggestion(name, known)}; found in {folder}: '
            f"{', '.join(known) or 'none'}. Choose one with -c model=NAME, or make it: ./millrace new-model"
        )
    path = folder / name / FILE
    model = validate(Model, read(path), path=path.relative_to(root))
    if model.name != name:
        raise SettingsError(
            f"{path.relative_to(root)}: name: found {model.name!r}; allowed: {name!r}, its folder's name"
        )
    return _with_space(model, path.parent)


def _with_space(model: Model, folder: Path) -> Model:
    training = model.training
    search = training.search.with_space(
        estimator=training.estimator, fixed=training.parameters, folder=folder
    )
    return model.model_copy(update={"training": training.model_copy(update={"search": search})})
