"""The training pipeline that is deployed is the one that was agreed, and comes out the same everywhere."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from contract.schema import Training
from contract.search import Search, default_space
from infra.kit.job_size import Size
from infra.training.pipeline.check import check
from infra.training.pipeline.step_names import JOBS
from infra.training.pipeline.template import definitions
from tests.synthesis import Synthesis

PARAMETERS = ("DatasetVersion", "DatasetUri", "ContractUri", "GatesUri", "ChampionUri", "RunUri", "StartedBy")
pytestmark = pytest.mark.synth

ONCE = Training()
SIZE = Size(instance_type="ml.m5.large", volume_gib=30, max_runtime_minutes=60)


@pytest.fixture
def definition(stacks: Synthesis) -> dict[str, Any]:
    [definition] = definitions(stacks.loop).values()
    return definition


def write(training: Training = ONCE, size: Size = SIZE, **changes: str) -> dict[str, Any]:
    # Only now: SageMaker's SDK takes seconds to import, which tests of other rooms do without.
    from infra.training.pipeline.definition import author

    options = {"name": "pipeline", "approval": "Approved", "code_digest": "0" * 64}
    return author(size=size, problem="binary", training=training, **{**options, **changes})


def named(steps: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {step["Name"]: step for step in steps}


def test_steps_and_parameters_are_those_agreed(definition: dict[str, Any]) -> None:
    assert {p["Name"]: p["Type"] for p in definition["Parameters"]} == dict.fromkeys(PARAMETERS, "String")
    assert [step["Name"] for step in definition["Steps"]] == [*JOBS, "gate"]
    gate = named(definition["Steps"])["gate"]["Arguments"]
    assert [step["Type"] for step in gate["IfSteps"]] == ["RegisterModel"]
    assert [step["Type"] for step in gate["ElseSteps"]] == ["Fail"]
    assert "PipelineExperimentConfig" not in definition


def test_every_job_is_isolated_encrypted_and_limited(stacks: Synthesis, definition: dict[str, Any]) -> None:
    steps = named(definition["Steps"])
    functions = stacks.of_type("AWS::Lambda::Function").values()
    [digest] = [
        variables["CODE_DIGEST"]
        for function in functions
        if "CODE_DIGEST" in (variables := function["Properties"]["Environment"]["Variables"])
    ]
    assert len(digest) == 64
    for job in JOBS:
        arguments = steps[job]["Arguments"]
        text = json.dumps(arguments)
        assert arguments["Environment"] == {
            "MILLRACE_DATASET_VERSION": {"Get": "Parameters.DatasetVersion"},
            "MILLRACE_CODE_DIGEST": digest,
        }
        assert '"EnableNetworkIsolation": true' in text
        assert '"EnableInterContainerTrafficEncryption": true' in text
        assert '"VolumeKmsKeyId": "arn:aws:kms' in text
        assert '"KmsKeyId": "arn:aws:kms' in text
        minutes = stacks.configuration.environment.training.max_runtime_minutes
        assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": minutes * 60}
        assert f"role/Training{job.capitalize()}Role" in arguments["RoleArn"]
        asked_again = {
            kind: policy["MaxAttempts"]
            for policy in steps[job]["RetryPolicies"]
            for kind in policy["ExceptionType"]
        }
        assert asked_again.pop("SageMaker.RESOURCE_LIMIT") == 2, "an account's quota does not grow by itself"
        assert set(asked_again.values()) == {5}


def test_only_training_may_take_weeks() -> None:
    days = 24 * 3600
    size = replace(SIZE, max_runtime_minutes=28 * 24 * 60)
    steps = named(write(size=size)["Steps"])
    limits = {job: steps[job]["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] for job in JOBS}
    assert limits == {"validate": 5 * days, "prepare": 5 * days, "train": 28 * days, "evaluate": 5 * days}


def test_processing_jobs_give_the_image_their_name_as_the_command(definition: dict[str, Any]) -> None:
    steps = named(definition["Steps"])
    for job in ("validate", "prepare", "evaluate"):
        specification = steps[job]["Arguments"]["AppSpecification"]
        assert specification["ContainerArguments"] == [job]
        assert "ContainerEntrypoint" not in specification
    assert "ContainerArguments" not in steps["train"]["Arguments"]["AlgorithmSpecification"]


def test_jobs_see_what_the_ones_before_them_wrote(definition: dict[str, Any]) -> None:
    steps = named(definition["Steps"])
    inputs: dict[str, dict[str, str]] = {
        job: {
            i["InputName"]: i["S3Input"]["LocalPath"]
            for i in steps[job]["Arguments"].get("ProcessingInputs", [])
        }
        for job in JOBS
    }
    place = "/opt/ml/processing/input"
    assert inputs["validate"] == {n: f"{place}/{n}" for n in ("dataset", "contract", "champion")}
    assert inputs["prepare"] == {n: f"{place}/{n}" for n in ("dataset", "contract")}
    assert inputs["evaluate"] == {
        n: f"{place}/{n}" for n in ("model", "holdout", "contract", "gates", "champion", "validation")
    }
    channels = steps["train"]["Arguments"]["InputDataConfig"]
    assert [channel["ChannelName"] for channel in channels] == ["train", "contract", "holdout"]


@pytest.mark.parametrize("environment", ["prod", "dev"])
def test_approval_is_the_environments(root: Path, synth: Any, environment: str) -> None:
    [definition] = definitions(synth(environment).loop).values()
    [register] = named(definition["Steps"])["gate"]["Arguments"]["IfSteps"]
    expected = {"prod": "PendingManualApproval", "dev": "Approved"}[environment]
    assert register["Arguments"]["ModelApprovalStatus"] == expected


def test_a_model_that_misses_a_gate_is_rejected() -> None:
    gate = named(write()["Steps"])["gate"]["Arguments"]
    [condition] = gate["Conditions"]
    file = {"Get": "Steps.evaluate.PropertyFiles.Evaluation"}
    assert condition["LeftValue"] == {"Std:JsonGet": {"PropertyFile": file, "Path": "passed"}}
    assert condition["RightValue"] is True
    [reject] = gate["ElseSteps"]
    assert reject["Arguments"] == {
        "ErrorMessage": "The model was not registered: its evaluation names the gates that it missed."
    }


def test_a_property_file_is_read_by_a_condition_only() -> None:
    """Anywhere else it is not documented, and the first deployment to an account might fail."""

    def reads(node: Any, place: str = "") -> Iterator[str]:
        if isinstance(node, dict):
            if "Std:JsonGet" in node:
                yield place
            for key, value in node.items():
                yield from reads(value, f"{place}/{key}")
        elif isinstance(node, list):
            for value in node:
                yield from reads(value, place)

    assert set(reads(write())) == {"/Steps/Arguments/Conditions/LeftValue"}


def test_a_job_is_reused_by_what_does_not_change_from_run_to_run() -> None:
    steps = named(write()["Steps"])
    for job in JOBS:
        assert steps[job]["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
        decisive = {
            name: value
            for name, value in steps[job]["Arguments"].items()
            if name not in ("ProcessingOutputConfig", "OutputDataConfig")
        }
        assert "Parameters.RunUri" not in json.dumps(decisive)


def joined(value: Any) -> str:
    """An expression as text: what it gets in braces."""
    match value:
        case {"Std:Join": {"On": on, "Values": values}}:
            return str(on).join(map(joined, values))
        case {"Get": reference}:
            return f"{{{reference}}}"
    return str(value)


def test_a_package_says_where_it_came_from_and_where_its_evidence_is() -> None:
    [register] = named(write(code_digest="1" * 64)["Steps"])["gate"]["Arguments"]["IfSteps"]
    evaluation, validation = (
        f"{{Steps.{job}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri}}"
        for job, output in (("evaluate", "evaluation"), ("validate", "report"))
    )
    metadata = register["Arguments"]["CustomerMetadataProperties"]
    assert {name: joined(value) for name, value in metadata.items()} == {
        "dataset_version": "{Parameters.DatasetVersion}",
        "code_digest": "1" * 64,
        "contract_uri": "{Parameters.ContractUri}",
        "gates_uri": "{Parameters.GatesUri}",
        "run_uri": "{Parameters.RunUri}",
        "execution": "{Execution.PipelineExecutionArn}",
        "report": f"{evaluation}/report.html",
        "card": f"{evaluation}/card.json",
    }
    metrics = register["Arguments"]["ModelMetrics"]
    assert joined(metrics["ModelQuality"]["Statistics"]["S3Uri"]) == f"{evaluation}/evaluation.json"
    # start_training ends the folder of the gates with a slash.
    assert joined(metrics["ModelQuality"]["Constraints"]["S3Uri"]) == "{Parameters.GatesUri}gates.json"
    assert joined(metrics["ModelDataQuality"]["Statistics"]["S3Uri"]) == f"{validation}/report.json"


def test_gates_reach_only_what_judges_by_them() -> None:
    """So that another limit changes no other step, and those are taken from the cache."""
    steps = named(write(SEARCHED)["Steps"])
    reached = {name for name, step in steps.items() if "Parameters.GatesUri" in json.dumps(step["Arguments"])}
    assert reached == {"evaluate", "gate"}


def test_authoring_leaves_the_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    before, session = dict(os.environ), boto3.DEFAULT_SESSION
    write()
    assert dict(os.environ) == before
    assert boto3.DEFAULT_SESSION is session


def test_authoring_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError(f"tried to reach {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert write()["Steps"]


def test_the_definition_is_the_same_on_another_machine(root: Path, tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from infra.training.pipeline.definition import author\n"
        "from infra.kit.job_size import Size\n"
        "from contract.schema import Training\n"
        f"size = {SIZE!r}\n"
        "options = {'name': 'pipeline', 'approval': 'Approved', 'code_digest': '0' * 64}\n"
        "print(json.dumps(author(size=size, problem='binary', training=Training(), **options)))\n"
    )
    strange = {
        "HOME": str(tmp_path),
        "AWS_PROFILE": "nobody",
        "AWS_DEFAULT_REGION": "ap-south-1",
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
    }
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={**strange, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == write()


SEARCHED = Training(
    search=Search(max_jobs=8, objective="log_loss", parameters=default_space("hist-gradient-boosting"))
)


def test_a_search_comes_before_training_which_takes_the_best_of_it() -> None:
    steps = named(write(SEARCHED)["Steps"])
    assert list(steps) == ["validate", "prepare", "tune", "train", "evaluate", "gate"]
    asked = steps["tune"]["Arguments"]["HyperParameterTuningJobConfig"]
    assert asked["Strategy"] == "Bayesian"
    assert asked["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 8, "MaxParallelTrainingJobs": 2}
    assert asked["HyperParameterTuningJobObjective"] == {
        "Type": "Minimize",
        "MetricName": "validation:log_loss",
    }
    assert asked["RandomSeed"] == SEARCHED.seed
    found = {r["Name"]: r for r in asked["ParameterRanges"]["ContinuousParameterRanges"]}
    assert found["learning_rate"] == {
        "Name": "learning_rate", "MinValue": "0.02", "MaxValue": "0.3", "ScalingType": "Logarithmic"
    }  # fmt: skip
    tuned = steps["train"]["Arguments"]["InputDataConfig"][-1]
    assert tuned["ChannelName"] == "tuned"
    assert tuned["DataSource"]["S3DataSource"]["S3Uri"]["Std:Join"]["Values"] == [
        {"Get": "Steps.tune.TrainingJobDefinition.OutputDataConfig.S3OutputPath"},
        {"Get": "Steps.tune.BestTrainingJob.TrainingJobName"},
        "output",
        "model.tar.gz",
    ]
    trials = steps["evaluate"]["Arguments"]["ProcessingInputs"][-1]
    assert trials["InputName"] == "trials"


def test_trials_see_no_row_that_is_held_out() -> None:
    definition = named(write(SEARCHED)["Steps"])["tune"]["Arguments"]["TrainingJobDefinition"]
    assert [channel["ChannelName"] for channel in definition["InputDataConfig"]] == ["train", "contract"]
    assert definition["EnableNetworkIsolation"]
    # SageMaker refuses to begin from a tuning job of another environment; hyperparameters may differ.
    assert definition["Environment"] == {"MILLRACE_TRIAL": "true"}
    assert definition["StaticHyperParameters"] == {
        "MILLRACE_DATASET_VERSION": {"Get": "Parameters.DatasetVersion"},
        "MILLRACE_CODE_DIGEST": "0" * 64,
    }


def test_a_search_is_what_sagemaker_accepts_and_may_be_reused() -> None:
    definition = write(SEARCHED)
    complaints = [c for c in check(definition) if "placeholder:" not in c]
    assert complaints == []
    assert named(definition["Steps"])["tune"]["CacheConfig"]["Enabled"]
    warm = write(replace(SEARCHED, search=replace(SEARCHED.search, warm_start_from=("earlier",))))
    assert [c for c in check(warm) if "placeholder:" not in c] == []
    assert named(warm["Steps"])["tune"]["Arguments"]["WarmStartConfig"]["WarmStartType"] == "TransferLearning"


def test_the_jobs_metrics_are_found_in_their_logs() -> None:
    steps = named(write(SEARCHED)["Steps"])
    for prefix, listed in (
        ("holdout", steps["train"]["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"]),
        (
            "validation",
            steps["tune"]["Arguments"]["TrainingJobDefinition"]["AlgorithmSpecification"][
                "MetricDefinitions"
            ],
        ),
    ):
        [regex] = [d["Regex"] for d in listed if d["Name"] == f"{prefix}:roc_auc"]
        for text in ("0.931234", "1", "-3.5e-07", "nan"):
            match = re.search(regex, f"2026-11-21 12:00:00,123 {prefix}:roc_auc={text};")
            assert match
            assert match[1] == text


def test_spot_training_goes_on_where_any_run_of_the_same_data_and_code_was_interrupted() -> None:
    size = replace(SIZE, spot_wait_minutes=30)
    definition = write(SEARCHED, size)
    assert [c for c in check(definition) if "placeholder:" not in c] == []
    steps = named(definition["Steps"])
    trial = steps["tune"]["Arguments"]["TrainingJobDefinition"]
    for job, arguments in (("tune", trial), ("train", steps["train"]["Arguments"])):
        assert arguments["EnableManagedSpotTraining"] is True
        assert arguments["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 5400}
        place = arguments["CheckpointConfig"]["S3Uri"]["Std:Join"]["Values"]
        assert place[1:] == [{"Get": "Parameters.DatasetVersion"}, "0" * 64, job]
    assert "CheckpointConfig" not in json.dumps(write(SEARCHED))
