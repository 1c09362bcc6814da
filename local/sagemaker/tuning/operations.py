"""CreateHyperParameterTuningJob, and the list of a tuning job's trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.sagemaker import events, refuse
from local.sagemaker.catalog.listing import listing
from local.sagemaker.errors import invalid, not_implemented
from local.sagemaker.iam import require_grant
from local.sagemaker.jobs.operations import Jobs, volume_key
from local.sagemaker.quotas import of_training
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.state import TRAINING_JOB, TUNING_JOB
from local.sagemaker.tuning import describing
from local.sagemaker.tuning.run import TuningRun
from local.sagemaker.tuning.sampler import STRATEGIES, Sampler

_ENDED = ("Completed", "Stopped")
_MAY_CHANGE = {
    "AlgorithmSpecification",
    "InputDataConfig",
    "OutputDataConfig",
    "StaticHyperParameters",
    "RoleArn",
    "ResourceConfig",
    "StoppingCondition",
    "VpcConfig",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
}
"""Of a training job's definition, between a tuning job and one that it is begun from."""


class Tuning:
    """The operations on tuning jobs that are theirs alone."""

    def __init__(self, backend: Backend, jobs: Jobs) -> None:
        self._backend = backend
        self._state = backend.state
        self._jobs = jobs

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {
            "CreateHyperParameterTuningJob": self._create,
            "ListTrainingJobsForHyperParameterTuningJob": self._list_trials,
        }

    def _create(self, call: Call) -> dict[str, Any]:
        _refuse(call.arguments)
        configuration = call["HyperParameterTuningJobConfig"]
        definition = call["TrainingJobDefinition"]
        call.require_pass_role(definition["RoleArn"])
        name = call["HyperParameterTuningJobName"]
        objective = configuration["HyperParameterTuningJobObjective"]["MetricName"]
        defined = definition["AlgorithmSpecification"].get("MetricDefinitions", [])
        if objective not in [metric["Name"] for metric in defined]:
            raise invalid(
                f"A metric is required for this hyperparameter tuning job objective. Provide a metric in the "
                f"metric definitions: {objective} is none of them."
            )
        self._jobs.check(TRAINING_JOB, describing.training_job(call.arguments, f"{name}-001", {}))
        key, role = volume_key(TRAINING_JOB, definition), definition["RoleArn"]
        require_grant(call.access_key, self._backend.cloud, key, role)
        sampler = Sampler(configuration)
        sampler.learn(self._earlier(call))
        parallel = configuration["ResourceLimits"]["MaxParallelTrainingJobs"]
        uses = {use: count * parallel for use, count in of_training(definition).items()}
        with self._backend.quotas.taken(uses):
            record = self._state.add(
                TUNING_JOB,
                name,
                {
                    **call.arguments,
                    "HyperParameterTuningJobStatus": "InProgress",
                    **describing.progress(call.arguments, []),
                },
            )
        arn: str = record["HyperParameterTuningJobArn"]
        self._state.tags[arn] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
        events.job_changed(self._backend.cloud, TUNING_JOB, record)
        run = TuningRun(self._backend, self._jobs, record, sampler, uses)
        self._jobs.track(arn, run)
        run.start()
        return {"HyperParameterTuningJobArn": arn}

    def _earlier(self, call: Call) -> Iterator[tuple[Mapping[str, str], float]]:
        """Parameters and objective of each trial of the jobs that a warm start names."""
        for parent in call.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
            name = parent["HyperParameterTuningJobName"]
            known = self._state.get(TUNING_JOB, name)
            _check_parent(known, call.arguments)
            status = known["HyperParameterTuningJobStatus"]
            if status not in _ENDED:
                raise invalid(f"The parent tuning job {name} is {status}: it must be Completed or Stopped.")
            for trial in describing.trials(self._state, name):
                if final := trial.get("FinalHyperParameterTuningJobObjectiveMetric"):
                    yield trial["TunedHyperParameters"], final["Value"]

    def _list_trials(self, call: Call) -> dict[str, Any]:
        name = call["HyperParameterTuningJobName"]
        self._state.get(TUNING_JOB, name)
        trials = describing.trials(self._state, name)
        if call.get("SortBy") == "FinalObjectiveMetricValue":
            trials = [t for t in trials if t.get("FinalHyperParameterTuningJobObjectiveMetric")]
            for trial in trials:
                value = trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
                trial["FinalObjectiveMetricValue"] = value
        return listing(call.operation, TRAINING_JOB, trials, call.arguments)


def _check_parent(parent: Mapping[str, Any], child: Mapping[str, Any]) -> None:
    """What AWS asks of a tuning job that another begins from, in its words."""
    before, now = parent["TrainingJobDefinition"], child["TrainingJobDefinition"]
    fixed = (before.keys() | now.keys()) - _MAY_CHANGE
    if any(before.get(member) != now.get(member) for member in fixed):
        allowed = ", ".join(member[0].lower() + member[1:] for member in sorted(_MAY_CHANGE))
        raise invalid(
            f"Only the following fields in TrainingJobDefinition are allowed to change: [{allowed}]."
        )
    if _names(parent) != _names(child):
        raise invalid(
            "The set of tunable plus static HyperParameter names is not the same across current and parent "
            "tuning jobs. Please ensure this set is constant when warm starting."
        )


def _names(job: Mapping[str, Any]) -> set[str]:
    ranges = job["HyperParameterTuningJobConfig"].get("ParameterRanges", {})
    searched = {one["Name"] for listed in ranges.values() for one in listed}
    return {*searched, *job["TrainingJobDefinition"].get("StaticHyperParameters", {})}


def _refuse(arguments: Mapping[str, Any]) -> None:
    refuse.beyond(arguments, "TrainingJobDefinitions", "Autotune")
    configuration = arguments["HyperParameterTuningJobConfig"]
    refuse.unless(configuration["Strategy"], "Strategy", *STRATEGIES)
    refuse.beyond(configuration, "StrategyConfig", "TuningJobCompletionCriteria")
    refuse.beyond(configuration["ResourceLimits"], "MaxRuntimeInSeconds")
    if "MaxNumberOfTrainingJobs" not in configuration["ResourceLimits"]:
        raise not_implemented("a tuning job without MaxNumberOfTrainingJobs")
    refuse.beyond(configuration.get("ParameterRanges", {}), "AutoParameters")
    if "TrainingJobDefinition" not in arguments or "HyperParameterTuningJobObjective" not in configuration:
        raise not_implemented("CreateHyperParameterTuningJob without TrainingJobDefinition and an objective")
    refuse.beyond(
        arguments["TrainingJobDefinition"],
        "HyperParameterTuningResourceConfig",
        "HyperParameterRanges",
        "TuningObjective",
    )
