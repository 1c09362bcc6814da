"""[training.search] max_jobs > 1: what a search adds to the stacks, and what nobody else may do."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from infra.app import Configuration
from infra.settings.search import SearchSettings
from infra.training.pipeline.check import check
from infra.training.pipeline.template import definitions
from tests.synthesis import Synthesis, compose_alone

pytestmark = pytest.mark.synth


@pytest.fixture(scope="module")
def searched(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The stacks of `tumor` in production, with a search of eight trials on spot instances."""
    configuration = Configuration.read(root, environment="prod", model="tumor")
    training = configuration.model.training
    search = SearchSettings(max_jobs=8).with_space(
        estimator=training.estimator, fixed={}, folder=root / "models" / "tumor"
    )
    model = configuration.model.model_copy(
        update={"training": training.model_copy(update={"search": search})}
    )
    spot = configuration.environment.training.model_copy(update={"spot_wait_minutes": 30})
    environment = configuration.environment.model_copy(update={"training": spot})
    changed = dataclasses.replace(configuration, model=model, environment=environment)
    return compose_alone(changed, tmp_path_factory.mktemp("searched"))


def allowed(stacks: Synthesis, action: str) -> dict[str, str]:
    """Resources on which each role may do an action."""
    found: dict[str, str] = {}
    for name, role in stacks.of_type("AWS::IAM::Role").items():
        for statement in role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
            if action in statement["Action"]:
                found[name] = found.get(name, "") + json.dumps(statement["Resource"])
    return found


def test_the_pipeline_searches_with_a_role_of_its_own(searched: Synthesis) -> None:
    [definition] = definitions(searched.loop).values()
    assert check(definition) == []
    tune = next(step for step in definition["Steps"] if step["Name"] == "tune")
    assert "role/TrainingTuneRole" in tune["Arguments"]["TrainingJobDefinition"]["RoleArn"]
    makes = allowed(searched, "sagemaker:CreateHyperParameterTuningJob")
    assert [name.startswith("TrainingPipelineRole") for name in makes] == [True]
    assert "hyper-parameter-tuning-job/*-tune-*" in makes.popitem()[1]
    explains = allowed(searched, "sagemaker:ListTrainingJobsForHyperParameterTuningJob")
    assert [name.startswith("TrainingFailuresReportFailure") for name in explains] == [True]


def test_trials_read_what_is_trained_on_and_nothing_held_out(searched: Synthesis) -> None:
    [reads] = [text for name, text in allowed(searched, "s3:GetObject").items() if "TuneRole" in name]
    assert "runs/*/prepare/train/*" in reads
    assert "holdout" not in reads
    assert "prepare/*" not in reads
    assert "checkpoints/*/tune/*" in reads


def test_without_a_search_nobody_may_make_one(stacks: Synthesis) -> None:
    assert allowed(stacks, "sagemaker:CreateHyperParameterTuningJob") == {}
    assert allowed(stacks, "sagemaker:ListTrainingJobsForHyperParameterTuningJob") == {}
