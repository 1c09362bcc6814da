"""A tuning job's trials as training jobs, and what it tells of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from local.sagemaker.shapes import service_model
from local.sagemaker.state import TRAINING_JOB, TUNING_JOB, Record, State

_OWN = ("DefinitionName", "TuningObjective", "HyperParameterRanges", "StaticHyperParameters")
"""Of a trial's definition: what is not for CreateTrainingJob."""
_COUNTED = {"Completed": "Completed", "Failed": "NonRetryableError", "Stopped": "Stopped"}


def training_job(tuning: Mapping[str, Any], name: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of the training job that is one trial."""
    definition = tuning["TrainingJobDefinition"]
    objective = tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    static = {
        **definition.get("StaticHyperParameters", {}),
        "_tuning_objective_metric": objective["MetricName"],
    }
    return {
        **{member: value for member, value in definition.items() if member not in _OWN},
        "TrainingJobName": name,
        "HyperParameters": {**static, **parameters},
    }


def trials(state: State, name: str) -> list[Record]:
    """The training jobs of a tuning job, the oldest first, as it summarises them."""
    arn = state.arn(TUNING_JOB, name)
    return [record for record in state.all(TRAINING_JOB) if record.get("TuningJobArn") == arn]


def progress(tuning: Mapping[str, Any], found: Sequence[Record]) -> dict[str, Any]:
    """How many trials stand how, and which is the best."""
    statuses = Counter(_COUNTED.get(record["TrainingJobStatus"], "InProgress") for record in found)
    objectives = Counter(record.get("ObjectiveStatus", "Pending") for record in found)
    best = _best(tuning, found)
    summary = _summary(best) if best else None
    counted = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {
        "TrainingJobStatusCounters": {name: statuses[name] for name in counted},
        "ObjectiveStatusCounters": {name: objectives[name] for name in ("Succeeded", "Pending", "Failed")},
        "BestTrainingJob": summary,
        "OverallBestTrainingJob": summary if "WarmStartConfig" in tuning else None,
    }


def _best(tuning: Mapping[str, Any], found: Sequence[Record]) -> Record | None:
    """The trial with the best objective; of several, the one that began first."""
    measured = [r for r in found if r.get("FinalHyperParameterTuningJobObjectiveMetric")]
    sign = (
        -1
        if tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] == "Minimize"
        else 1
    )
    values = [sign * r["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for r in measured]
    return measured[values.index(max(values))] if values else None


def _summary(record: Record) -> dict[str, Any]:
    members = service_model().shape_for("HyperParameterTrainingJobSummary").members  # type: ignore[attr-defined]
    return {name: record[name] for name in members if record.get(name) is not None}
