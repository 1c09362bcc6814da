"""Tuning jobs: what is tried, when trials are stopped, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local.sagemaker.errors import ServiceError
from local.sagemaker.tuning.sampler import Sampler, space
from local.sagemaker.tuning.stopping import falls_behind
from tests.local.sagemaker.workbench import BUCKET, Workbench, training, wait_for

X = {"Name": "x", "MinValue": "0.5", "MaxValue": "50", "ScalingType": "Logarithmic"}


def configuration(trials: int = 4, **changes: Any) -> dict[str, Any]:
    return {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"ContinuousParameterRanges": [X]},
        "RandomSeed": 7,
        **changes,
    }


def searched(
    given: Mapping[str, Any], earlier: list[tuple[dict[str, str], float]] | None = None
) -> list[float]:
    """The values of x that a search tries, one after the other."""
    sampler, tried = Sampler(given), []
    sampler.learn(earlier or [])
    for _ in range(given["ResourceLimits"]["MaxNumberOfTrainingJobs"]):
        trial, parameters = sampler.ask()
        tried.append(float(parameters["x"]))
        sampler.tell(trial, -abs(tried[-1] - 3))
    return tried


def test_a_search_with_a_seed_is_the_same_again_and_with_another_is_not() -> None:
    assert searched(configuration(12)) == searched(configuration(12))
    assert searched(configuration(12)) != searched(configuration(12, RandomSeed=8))


def test_a_bayesian_search_finds_more_than_chance_does() -> None:
    def distance(strategy: str) -> float:
        found = [searched(configuration(30, Strategy=strategy, RandomSeed=seed))[10:] for seed in range(10)]
        return sum(abs(x - 3) for tried in found for x in tried)

    assert distance("Bayesian") < distance("Random") / 2


def test_a_warm_start_begins_where_an_earlier_search_ended() -> None:
    earlier = [({"x": str(x), "more": "1"}, -abs(x - 3)) for x in (0.6, 1, 2, 2.9, 3, 3.1, 4, 9, 20, 40)]

    def distance(known: list[tuple[dict[str, str], float]]) -> float:
        found = [searched(configuration(4, RandomSeed=seed), known) for seed in range(10)]
        return sum(abs(x - 3) for tried in found for x in tried)

    assert distance(earlier) < distance([]) / 2
    sampler = Sampler(configuration())
    assert sampler.learn([({"x": "51"}, 0), ({"y": "3"}, 0), ({"x": "much"}, 0), ({"x": "50"}, 0)]) == 1
    fewer = Sampler(
        configuration(ParameterRanges={"CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b"]}]})
    )
    assert fewer.learn([({"c": "given up"}, 0), ({"c": "a"}, 0)]) == 1


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("Integer", {"MinValue": "9", "MaxValue": "2"}),
        ("Integer", {"MinValue": "1.5", "MaxValue": "2"}),
        ("Integer", {"MinValue": "0", "MaxValue": "2", "ScalingType": "Logarithmic"}),
        ("Continuous", {"MinValue": "much", "MaxValue": "more"}),
        ("Continuous", {"MinValue": "0", "MaxValue": "1", "ScalingType": "Logarithmic"}),
    ],
)
def test_a_range_that_is_none_is_refused(kind: str, given: dict[str, str]) -> None:
    with pytest.raises(ServiceError, match="range of the hyperparameter n is invalid") as refused:
        space({f"{kind}ParameterRanges": [{"Name": "n", **given}]})
    assert refused.value.status == 400


@given(st.integers(0, 2**32 - 1))
def test_parameters_are_within_their_ranges(seed: int) -> None:
    ranges = {
        "IntegerParameterRanges": [{"Name": "n", "MinValue": "2", "MaxValue": "9", "ScalingType": "Linear"}],
        "ContinuousParameterRanges": [X],
        "CategoricalParameterRanges": [{"Name": "c", "Values": ["1", "true", "gini"]}],
    }
    _, found = Sampler(configuration(RandomSeed=seed, ParameterRanges=ranges)).ask()
    assert 2 <= int(found["n"]) <= 9
    assert 0.5 <= float(found["x"]) <= 50
    assert found["c"] in ("1", "true", "gini")


def test_a_trial_falls_behind_the_median_of_those_that_came_as_far() -> None:
    others = [(0.5, 0.7), (0.6, 0.8), (0.9,)]
    assert not falls_behind([0.6], others, minimize=False)
    assert falls_behind([0.59], others, minimize=False)
    assert falls_behind([0.61], others, minimize=True)
    # Of two values it is their mean that counts: 0.6 and 0.7.
    assert not falls_behind([0.9, 0.65], others, minimize=False)
    assert falls_behind([0.9, 0.64], others, minimize=False)
    assert not falls_behind([0.9, 0.8, 0.1], others, minimize=False)
    assert not falls_behind([0.1], [], minimize=False)


def start(workbench: Workbench, configured: Mapping[str, Any], **changes: Any) -> str:
    data = workbench.put("tuning/data/a.csv", "a\nb")
    definition = training(data, workbench.job_role)
    definition["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "score", "Regex": "score=(.*?);"}]
    definition["StaticHyperParameters"] = changes.pop("static", {})
    definition["Environment"] = changes.pop("environment", {})
    name = f"tune-{uuid4().hex[:8]}"
    workbench.sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig=configured,
        TrainingJobDefinition=definition,
        **changes,
    )
    return name


def ended(workbench: Workbench, name: str) -> dict[str, Any]:
    def probe() -> dict[str, Any] | None:
        job: dict[str, Any] = workbench.sagemaker.describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name
        )
        return None if job["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping") else job

    return wait_for(probe, name)


def trials(workbench: Workbench, name: str, **members: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workbench.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        SortBy="CreationTime",
        SortOrder="Ascending",
        MaxResults=100,
        **members,
    )["TrainingJobSummaries"]
    return found


def tried(workbench: Workbench, name: str) -> list[tuple[str, float]]:
    return [
        (t["TunedHyperParameters"]["x"], t["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
        for t in trials(workbench, name)
    ]


@pytest.mark.local_cloud
def test_a_tuning_job_makes_trials_and_tells_the_best(workbench: Workbench) -> None:
    name = start(workbench, configuration(), static={"fixed": "1"})
    job = ended(workbench, name)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    found = tried(workbench, name)
    best = job["BestTrainingJob"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == max(value for _, value in found)

    trial = workbench.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert trial["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert trial["HyperParameters"] == {
        "x": best["TunedHyperParameters"]["x"],
        "fixed": "1",
        "_tuning_objective_metric": "score",
    }
    told = {metric["MetricName"]: metric["Value"] for metric in trial["FinalMetricDataList"]}
    assert told["score"] == best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert trial["ModelArtifacts"]["S3ModelArtifacts"] == (
        f"s3://{BUCKET}/models/{best['TrainingJobName']}/output/model.tar.gz"
    )
    points = workbench.total("/aws/sagemaker/TrainingJobs", "score", TrainingJobName=best["TrainingJobName"])
    assert points == pytest.approx(1.5 * told["score"])

    again = start(workbench, configuration(), static={"fixed": "1"})
    ended(workbench, again)
    assert tried(workbench, again) == found

    warm = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": name}],
        "WarmStartType": "TransferLearning",
    }
    third = start(workbench, configuration(), WarmStartConfig=warm, static={"fixed": "1"})
    assert "OverallBestTrainingJob" in ended(workbench, third)
    assert tried(workbench, third) != found
    with pytest.raises(ClientError, match="Only the following fields"):
        start(workbench, configuration(), WarmStartConfig=warm, static={"fixed": "1"}, environment={"A": "b"})
    with pytest.raises(ClientError, match="names is not the same"):
        start(workbench, configuration(), WarmStartConfig=warm, static={"other": "1"})


@pytest.mark.local_cloud
def test_trials_that_fall_behind_are_stopped_and_measured_no_further(workbench: Workbench) -> None:
    name = start(workbench, configuration(8, TrainingJobEarlyStoppingType="Auto"))
    ended(workbench, name)
    found = tried(workbench, name)
    halves = [value == pytest.approx(-abs(float(x) - 3) / 2) for x, value in found]
    assert not any(halves[:2])  # nobody has come as far before
    assert any(halves)
    assert all(
        half or value == pytest.approx(-abs(float(x) - 3))
        for half, (x, value) in zip(halves, found, strict=True)
    )


@pytest.mark.local_cloud
def test_a_tuning_job_fails_when_no_trial_succeeds_and_not_before(workbench: Workbench) -> None:
    name = start(workbench, configuration(8), static={"least": "1"})
    job = ended(workbench, name)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No training job succeeded after 5 attempts.")
    failed = trials(workbench, name, StatusEquals="Failed")
    assert len(failed) in (5, 6)
    assert failed[0]["FailureReason"].startswith("AlgorithmError: x is ")
    assert "BestTrainingJob" not in job

    some = ended(workbench, start(workbench, configuration(6), static={"least": "-2"}))
    assert some["HyperParameterTuningJobStatus"] == "Completed"
    assert some["TrainingJobStatusCounters"]["NonRetryableError"] > 0


@pytest.mark.local_cloud
def test_a_tuning_job_can_be_stopped(workbench: Workbench) -> None:
    name = start(workbench, configuration(100))
    wait_for(lambda: trials(workbench, name), "a trial")
    workbench.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert ended(workbench, name)["HyperParameterTuningJobStatus"] == "Stopped"
    assert len(trials(workbench, name)) < 100


@pytest.mark.local_cloud
def test_what_is_not_done_is_refused(workbench: Workbench) -> None:
    other = {"Strategy": "Hyperband"}
    reverse = {"ParameterRanges": {"ContinuousParameterRanges": [{**X, "ScalingType": "ReverseLogarithmic"}]}}
    for changes in (other, reverse):
        with pytest.raises(ClientError) as refused:
            start(workbench, {**configuration(), **changes})
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    missing = {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "loss"}}
    with pytest.raises(ClientError, match="loss is none of them"):
        start(workbench, {**configuration(), **missing})
    with pytest.raises(ClientError, match="can't find a tuning job"):
        workbench.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="nobody")


@pytest.mark.local_cloud
def test_a_pipeline_goes_on_with_the_best_trial_and_reuses_the_search(workbench: Workbench) -> None:
    data = workbench.put("tuning/data/a.csv", "a\nb")
    definition = training(data, workbench.job_role)
    definition["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "score", "Regex": "score=(.*?);"}]
    best = {"Get": "Steps.tune.BestTrainingJob.TrainingJobName"}
    place = {"Get": "Steps.tune.TrainingJobDefinition.OutputDataConfig.S3OutputPath"}
    archive = {"Std:Join": {"On": "/", "Values": [place, best, "output", "model.tar.gz"]}}
    tune = {"HyperParameterTuningJobConfig": configuration(2), "TrainingJobDefinition": definition}
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    steps = [
        {"Name": "tune", "Type": "Tuning", "Arguments": tune, **cached},
        {"Name": "train", "Type": "Training", "Arguments": training(archive, workbench.job_role)},
    ]
    name = f"tuned-{uuid4().hex[:8]}"
    workbench.sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        ClientRequestToken=uuid4().hex,
        RoleArn=workbench.pipeline_role,
    )
    arns = []
    for _ in range(2):
        execution = workbench.sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
        ran = workbench.executed(execution)
        assert ran["PipelineExecutionStatus"] == "Succeeded", ran.get("FailureReason")
        arns.append(workbench.steps(execution)["tune"]["Metadata"]["TuningJob"]["Arn"])
    assert arns[0] == arns[1]
    assert "-tune-" in arns[0]
    assert len(arns[0].rpartition("/")[2]) <= 32
