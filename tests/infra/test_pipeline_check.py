"""The checker passes what is deployed and names each mistake AWS would find later."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.training.pipeline.check import check, main
from infra.training.pipeline.template import definitions
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth

Definition = dict[str, Any]


def arguments(definition: Definition, index: int) -> Any:
    return definition["Steps"][index]["Arguments"]


def drop_role(d: Definition) -> None:
    del arguments(d, 0)["RoleArn"]


def misspell_member(d: Definition) -> None:
    arguments(d, 0)["Enviroment"] = arguments(d, 0).pop("Environment")


def give_a_text_for_a_number(d: Definition) -> None:
    arguments(d, 2)["ResourceConfig"]["InstanceCount"] = "1"


def invent_instance(d: Definition) -> None:
    arguments(d, 2)["ResourceConfig"]["InstanceType"] = "ml.m5.huge"


def ask_for_less_than_no_volume(d: Definition) -> None:
    arguments(d, 2)["ResourceConfig"]["VolumeSizeInGB"] = -1


def give_a_list_for_a_map(d: Definition) -> None:
    arguments(d, 2)["Environment"] = []


def shorten_role(d: Definition) -> None:
    arguments(d, 2)["RoleArn"] = "train-role"


def refer_to_no_parameter(d: Definition) -> None:
    arguments(d, 0)["ProcessingInputs"][0]["S3Input"]["S3Uri"] = {"Get": "Parameters.Dataset"}


def refer_to_no_step(d: Definition) -> None:
    arguments(d, 3)["ProcessingInputs"][0]["S3Input"]["S3Uri"] = {
        "Get": "Steps.fit.ModelArtifacts.S3ModelArtifacts"
    }


def refer_to_no_property(d: Definition) -> None:
    arguments(d, 3)["ProcessingInputs"][0]["S3Input"]["S3Uri"] = {"Get": "Steps.train.ModelArtifacts.Uri"}


def refer_to_no_output(d: Definition) -> None:
    uri = "Steps.prepare.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"
    arguments(d, 2)["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = {"Get": uri}


def refer_to_no_file(d: Definition) -> None:
    left = arguments(d, 4)["Conditions"][0]["LeftValue"]["Std:JsonGet"]
    left["PropertyFile"]["Get"] = "Steps.evaluate.PropertyFiles.Metrics"


def refer_to_no_variable(d: Definition) -> None:
    arguments(d, 2)["Environment"]["RUN"] = {"Get": "Execution.Id"}


def file_without_output(d: Definition) -> None:
    d["Steps"][3]["PropertyFiles"][0]["OutputName"] = "metrics"


def depend_on_nothing(d: Definition) -> None:
    d["Steps"][1]["DependsOn"] = ["check"]


def wait_for_each_other(d: Definition) -> None:
    d["Steps"][0]["DependsOn"] = ["train"]


def name_twice(d: Definition) -> None:
    d["Steps"][1]["Name"] = "validate"


def ask_nothing(d: Definition) -> None:
    arguments(d, 4)["Conditions"] = []


def fail_without_a_word(d: Definition) -> None:
    arguments(d, 4)["ElseSteps"][0]["Arguments"] = {}


def approve_loosely(d: Definition) -> None:
    arguments(d, 4)["IfSteps"][0]["Arguments"]["ModelApprovalStatus"] = "Yes"


def use_a_step_nobody_checks(d: Definition) -> None:
    d["Steps"][0]["Type"] = "EMR"


MISTAKES: dict[Callable[[Definition], None], str] = {
    drop_role: "validate: Arguments.RoleArn: is required and missing",
    misspell_member: "validate: Arguments.Enviroment: CreateProcessingJobRequest has no such member",
    give_a_text_for_a_number: "train: Arguments.ResourceConfig.InstanceCount: found '1'; integer is needed",
    invent_instance: "train: Arguments.ResourceConfig.InstanceType: found 'ml.m5.huge'; allowed:",
    ask_for_less_than_no_volume: "train: Arguments.ResourceConfig.VolumeSizeInGB: -1 is under the minimum, 0",
    give_a_list_for_a_map: "train: Arguments.Environment: found []; a map is needed",
    shorten_role: "train: Arguments.RoleArn: 'train-role' does not match",
    refer_to_no_parameter: "validate: Parameters.Dataset: no such parameter",
    refer_to_no_step: "evaluate: Steps.fit.ModelArtifacts.S3ModelArtifacts: no such step",
    refer_to_no_property: "evaluate: Steps.train.ModelArtifacts.Uri: the step has no such property",
    refer_to_no_output: "train: Steps.prepare.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri: the step has",
    refer_to_no_file: "gate: Steps.evaluate.PropertyFiles.Metrics: the step has no such property",
    refer_to_no_variable: "train: Execution.Id: no such variable",
    file_without_output: "evaluate: property file Evaluation: there is no output metrics",
    depend_on_nothing: "prepare: depends on check, which is no step",
    wait_for_each_other: "steps wait for each other:",
    name_twice: "validate: more than one step has this name",
    ask_nothing: "gate: a condition step needs conditions",
    fail_without_a_word: "reject: a fail step that does not say why",
    approve_loosely: "register: Arguments.ModelApprovalStatus: found 'Yes'; allowed: Approved",
    use_a_step_nobody_checks: "validate: this check does not know the step type EMR",
}


@pytest.fixture
def definition(stacks: Synthesis) -> Definition:
    [definition] = definitions(stacks.loop).values()
    return definition


def test_the_deployed_definition_is_right(definition: Definition) -> None:
    assert check(definition) == []


@pytest.mark.parametrize("make", MISTAKES, ids=lambda make: make.__name__)
def test_a_mistake_is_named(prod: Synthesis, make: Callable[[Definition], None]) -> None:
    [definition] = definitions(prod.loop).values()
    wrong = copy.deepcopy(definition)
    make(wrong)
    assert any(problem.startswith(MISTAKES[make]) for problem in check(wrong)), check(wrong)


@pytest.mark.parametrize("empty", [{}, {"Steps": []}])
def test_an_empty_definition_is_wrong(empty: Definition) -> None:
    assert check(empty) == ["the definition has no steps"]


def test_the_command_checks_templates(
    prod: Synthesis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    templates = [str(path) for path in prod.folder.glob("*.template.json")]
    assert main(templates) == 0
    assert ": right" in capsys.readouterr().out

    body = json.dumps({"Steps": []})
    pipeline = {"Type": "AWS::SageMaker::Pipeline", "Properties": {"PipelineDefinition": {"PipelineDefinitionBody": body}}}  # fmt: skip
    wrong = tmp_path / "wrong.template.json"
    wrong.write_text(json.dumps({"Resources": {"Pipeline": pipeline}}))
    assert main([*templates, str(wrong)]) == 1
    assert "wrong.template.json: Pipeline: wrong\n  the definition has no steps" in capsys.readouterr().out


def test_the_command_fails_where_there_is_nothing_to_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 1
    nothing = tmp_path / "nothing.template.json"
    nothing.write_text("{}")
    assert main([str(nothing)]) == 1
    assert "no SageMaker pipeline in" in capsys.readouterr().err
