"""The model's contract: which columns it reads, what they may hold, what it predicts.

`infra.settings` compiles a `model.toml` to this document. It travels with the Lambda
code and inside the model artifact, so that a model always carries the schema it was
trained on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from contract import threshold
from contract.checks import Rule, default_rules
from contract.names.estimators import Estimator
from contract.search import Search

Problem = Literal["binary", "multiclass", "regression"]
FeatureType = Literal["number", "category", "datetime", "text"]
HoldoutRule = Literal["newest", "random"]

NUMERIC = ("number", "datetime")

BOOLEANS = frozenset(("true", "false"))
YES_NO = (BOOLEANS, *map(frozenset, (("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"))))
"""Pairs of words that files spell in any case: pandas writes `True`, Excel `TRUE`, JSON `true`."""

MODEL_FILE = "model.toml"
"""The file in a model's folder that describes it."""

FORMAT = 2


class ContractError(ValueError):
    """A contract document cannot be read as one."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column the model reads.

    `missing` lists markers that mean "no value" besides the empty string. `minimum` and
    `maximum` bound numbers (inclusive). `values` closes a category's set; `None` leaves
    it open: values never seen in training are scored and counted.
    """

    name: str
    type: FeatureType
    required: bool = False
    missing: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] | None = None

    @property
    def ignores_case(self) -> bool:
        """A closed set of two words such as `true` and `false` takes them in any case."""
        return self.values is not None and {value.lower() for value in self.values} in YES_NO


@dataclass(frozen=True, kw_only=True)
class Target:
    """The column to predict. `positive` is set for binary problems only.

    `missing` lists markers that mean "no label" besides the empty string: rows without a label are
    set aside. `threshold` says how the probability from which on a row is predicted positive is
    decided, as `contract.threshold` reads it.
    """

    name: str
    positive: str | None = None
    missing: tuple[str, ...] = ()
    threshold: threshold.Setting = threshold.DEFAULT


@dataclass(frozen=True, kw_only=True)
class Training:
    """The settings of a model's fit.

    `estimator` is a built-in name or `module:function` in the model's folder;
    `parameters` go to it as keywords. `features` is None or `module:function` there.
    `holdout_share` is the share of rows (0 to 1) never trained on: the newest, or random ones. With
    fewer rows than `refit_below` the model that ships is fitted to all of them, and its evaluation is of
    models that were not.
    """

    estimator: str = Estimator.HIST_GRADIENT_BOOSTING.value
    features: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    holdout: HoldoutRule = "random"
    holdout_share: float = 0.2
    refit_below: int = 2000
    seed: int = 7
    search: Search = field(default_factory=Search)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The settings of evaluation. `metric` is that of slices, importances and robustness.

    None is `contract.gates.PRIMARY`. Slices and sensitive groups of fewer rows than
    `minimum_rows` are not judged.
    """

    metric: str | None = None
    minimum_rows: int = 30


@dataclass(frozen=True, kw_only=True)
class Time:
    """The column that says when each row came to be: a datetime feature, or no feature at all."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Everything a job, a handler or the model server must know about one model."""

    model: str
    problem: Problem
    target: Target
    features: tuple[Feature, ...]
    description: str = ""
    row_id: str | None = None
    sensitive: tuple[str, ...] = ()
    time: Time | None = None
    validation: Mapping[str, Rule] = field(default_factory=default_rules)
    training: Training = field(default_factory=Training)
    evaluation: Evaluation = field(default_factory=Evaluation)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns a table must have to be scored, in the contract's order."""
        return tuple(feature.name for feature in self.features)

    @property
    def numeric(self) -> tuple[Feature, ...]:
        """Features that enter the model as float32: numbers, and datetimes as hours since 1970."""
        return tuple(f for f in self.features if f.type in NUMERIC)

    @property
    def categorical(self) -> tuple[Feature, ...]:
        """Features that enter the model as strings, each a value of a set."""
        return tuple(f for f in self.features if f.type == "category")

    @property
    def textual(self) -> tuple[Feature, ...]:
        """Features that enter the model as strings of words."""
        return tuple(f for f in self.features if f.type == "text")

    @property
    def in_model_order(self) -> tuple[Feature, ...]:
        """All features as a model takes them: the numeric, the categorical, the textual."""
        return (*self.numeric, *self.categorical, *self.textual)

    @property
    def newest_held_out(self) -> str:
        """The column by whose times the newest rows are held out; empty where others are."""
        return self.time.name if self.time and self.training.holdout == "newest" else ""

    def to_json(self) -> str:
        """The canonical document: sorted keys, so equal contracts have equal bytes."""
        document = {"format": FORMAT, **dataclasses.asdict(self)}
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical document, hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document written by `to_json`.

        Raises:
            ContractError: it is not JSON, of another format, or lacks a field.
        """
        try:
            document = json.loads(text)
            if document.pop("format") != FORMAT:
                raise ContractError(f"this code reads contract format {FORMAT} only: redeploy and retrain")
            # Models that were trained when a contract had gates are served on.
            document.pop("gates", None)
            return cls(
                **{
                    **document,
                    "target": _target(document["target"]),
                    "features": tuple(_feature(f) for f in document["features"]),
                    "sensitive": tuple(document["sensitive"]),
                    "time": Time(**document["time"]) if document.get("time") else None,
                    "validation": {
                        **default_rules(),
                        **{name: Rule(**rule) for name, rule in document.get("validation", {}).items()},
                    },
                    "training": _training(document["training"]),
                    "evaluation": Evaluation(**document.get("evaluation", {})),
                }
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ContractError(f"not a contract document: {error!r}") from error


def _training(document: Mapping[str, Any]) -> Training:
    # Models that were trained before there were searches are served on.
    searched = {"search": Search.of(document["search"])} if "search" in document else {}
    return Training(**{**document, **searched})


def _target(document: Mapping[str, Any]) -> Target:
    return Target(**{**document, "missing": tuple(document.get("missing", ()))})


def _feature(document: Mapping[str, Any]) -> Feature:
    values = document["values"]
    return Feature(
        **{
            **document,
            "missing": tuple(document["missing"]),
            "values": None if values is None else tuple(values),
        }
    )
