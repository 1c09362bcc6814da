"""`models/<name>/model.toml`: what a data scientist says about a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from contract import schema, threshold
from infra.settings.search import SearchSettings
from infra.settings.toml import SettingsTable
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
    refit_below: int = Field(default=schema.Training.refit_below, ge=0, le=100_000)
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


class ModelMonitoringSettings(SettingsTable):
    false_alarms_per_year: float = Field(default=1.0, gt=0, le=365)
    least_change: float = Field(default=0.0, ge=0, lt=1)


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
    monitoring: ModelMonitoringSettings = ModelMonitoringSettings()

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


def _flat(prefix: str, table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value
