"""The search for an estimator's parameters as the arguments of a SageMaker tuning job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from contract.gates import LOWER_IS_BETTER
from contract.search import PREFIX, Range, Search

NUMBER = r"([-+0-9.eE]+|nan|inf|-inf)"
_SCALES = {"linear": "Linear", "log": "Logarithmic"}
_RANGES = {
    "integer": "IntegerParameterRanges",
    "float": "ContinuousParameterRanges",
    "category": "CategoricalParameterRanges",
}


def metric_definitions(prefix: str, metrics: Iterable[str]) -> list[dict[str, str]]:
    """Patterns by which SageMaker reads a job's metrics from its log, and draws them in its console."""
    return [{"Name": f"{prefix}{name}", "Regex": f"{prefix}{name}={NUMBER};"} for name in metrics]


def configuration(search: Search, seed: int) -> dict[str, Any]:
    """The parameters that are tried, the number of trials, and the objective."""
    return {
        "Strategy": search.strategy,
        "HyperParameterTuningJobObjective": {
            "Type": "Minimize" if search.objective in LOWER_IS_BETTER else "Maximize",
            "MetricName": f"{PREFIX}{search.objective}",
        },
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": search.max_jobs,
            "MaxParallelTrainingJobs": search.max_parallel_jobs,
        },
        "ParameterRanges": ranges(search.parameters),
        "TrainingJobEarlyStoppingType": "Auto" if search.early_stopping else "Off",
        "RandomSeed": seed,
    }


def warm_start(search: Search) -> dict[str, Any]:
    """The argument that names the searches to begin from, if any: their data may be other than today's."""
    if not search.warm_start_from:
        return {}
    parents = [{"HyperParameterTuningJobName": name} for name in search.warm_start_from]
    return {
        "WarmStartConfig": {
            "ParentHyperParameterTuningJobs": parents,
            "WarmStartType": "TransferLearning",
        }
    }


def ranges(parameters: Mapping[str, Range]) -> dict[str, Any]:
    """The parameters, by their kind."""
    ranges: dict[str, list[dict[str, Any]]] = {member: [] for member in _RANGES.values()}
    for name, searched in parameters.items():
        ranges[_RANGES[searched.type]].append({"Name": name, **_range(searched)})
    return {member: listed for member, listed in ranges.items() if listed}


def _range(searched: Range) -> dict[str, Any]:
    if searched.type == "category":
        return {"Values": [searched.text(value) for value in searched.values]}
    return {
        "MinValue": searched.text(searched.minimum),
        "MaxValue": searched.text(searched.maximum),
        "ScalingType": _SCALES[searched.scale],
    }
