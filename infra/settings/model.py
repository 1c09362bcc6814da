"""`models/<name>/model.toml`: what a data scientist says about a model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from contract import schema, threshold
from contract.schema import MODEL_FILE
from infra.settings.contradictions import contradictions
from infra.settings.search import SearchSettings
from infra.settings.toml import Problem, SettingsError, SettingsTable, read, suggestion, validate
from infra.settings.validation import RuleSettings, compiled_rules

NAME = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
MAX_NAME = 24  # keeps every name that SageMaker limits to 63 characters within it

Column = str


class TargetSettings(SettingsTable):
    name: Column
    positive: str | None = None
    missing: list[str] = Field(default_factory=list)
    threshold: Any = threshold.DEFAULT


class RowIdSettings(SettingsTable):
    name: Column


class FeatureSettings(SettingsTable):
    type: schema.FeatureType
    required: bool = False
    missing: list[str] = Field(default_factory=list)
    min: float | None = None
    max: float | None = None
    values: list[str] | None = None


class FairnessSettings(SettingsTable):
    sensitive: list[Column] = Field(default_factory=list)


class EvaluationSettings(SettingsTable):
    metric: str | None = None
    minimum_rows: int = Field(default=schema.Evaluation.minimum_rows, ge=2)


class TimeSettings(SettingsTable):
    name: Column


class ModelTrainingSettings(SettingsTable):
    estimator: str = schema.Training.estimator
    features: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    holdout: schema.HoldoutRule | None = None
    holdout_share: float = Field(default=schema.Training.holdout_share, gt=0, lt=1)
    seed: int = Field(default=schema.Training.seed, ge=0, lt=2**32)
    search: SearchSettings = SearchSettings()


class ModelServingSettings(SettingsTable):
    mode: Literal["endpoint", "serverless", "batch"] = "endpoint"
    capture_percent: int = Field(default=100, ge=0, le=100)
    invocations_per_instance: int = Field(default=6000, ge=1)

    @property
    def has_endpoint(self) -> bool:
        """True if anything but the batch path scores with the model."""
        return self.mode != "batch"

    @property
    def has_instances(self) -> bool:
        """True if its endpoint runs on instances: only those are scaled, isolated and captured."""
        return self.mode == "endpoint"


class ModelSettings(SettingsTable):
    """A validated `model.toml`."""

    name: str = Field(pattern=f"^{NAME}$", max_length=MAX_NAME)
    description: str = ""
    problem: Literal["binary", "multiclass", "regression"]
    target: TargetSettings
    row_id: RowIdSettings | None = None
    features: dict[Column, FeatureSettings] = Field(min_length=1)
    fairness: FairnessSettings = FairnessSettings()
    time: TimeSettings | None = None
    validation: dict[str, RuleSettings] = Field(default_factory=dict)
    training: ModelTrainingSettings = ModelTrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    gates: dict[str, str] = Field(default_factory=dict)
    serving: ModelServingSettings = ModelServingSettings()

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
            target=schema.Target(**{**self.target.model_dump(), "missing": tuple(self.target.missing)}),
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
                **{
                    **self.training.model_dump(),
                    "holdout": self.training.holdout or ("newest" if self.time else "random"),
                    "search": self.training.search.compiled(self.problem),
                }
            ),
            evaluation=schema.Evaluation(**self.evaluation.model_dump()),
        )

    def contradictions(self) -> Iterator[Problem]:
        return contradictions(self)


def _flat(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def load_model(root: Path, name: str) -> ModelSettings:
    """Read `models/<name>/model.toml` under a root folder.

    Raises:
        SettingsError: there is no such model, or its file does not fit.
    """
    folder = root / "models"
    known = sorted(path.parent.name for path in folder.glob(f"*/{MODEL_FILE}"))
    if name not in known or not re.fullmatch(NAME, name):
        raise SettingsError(
            f'there is no model "{name}"{suggestion(name, known)}; found in models/: '
            f"{', '.join(known) or 'none'}. Choose one with --model NAME (of cdk: -c model=NAME), "
            "or make it: ./millrace new-model"
        )
    path = folder / name / MODEL_FILE
    model = validate(ModelSettings, read(path, root), path=path.relative_to(root))
    if model.name != name:
        raise SettingsError(
            f"{path.relative_to(root)}: name: found {model.name!r}; allowed: {name!r}, its folder's name"
        )
    _check_modules(model, path, root)
    return _with_space(model, path.parent)


def _check_modules(model: ModelSettings, path: Path, root: Path) -> None:
    for key, named in (("estimator", model.training.estimator), ("features", model.training.features or "")):
        module, colon, _ = named.partition(":")
        file = path.parent / f"{module.replace('.', '/')}.py"
        if colon and not file.exists():
            raise SettingsError(
                f"{path.relative_to(root)}: [training] {key}: found {named!r}, "
                f"but there is no {file.relative_to(root)}"
            )


def _with_space(model: ModelSettings, folder: Path) -> ModelSettings:
    training = model.training
    search = training.search.with_space(
        estimator=training.estimator, fixed=training.parameters, folder=folder
    )
    return model.model_copy(update={"training": training.model_copy(update={"search": search})})
