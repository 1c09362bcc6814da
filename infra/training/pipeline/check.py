"""Check pipeline definitions before AWS does.

`python -m infra.training.pipeline.check cdk.out/*.template.json`

Every step's arguments are held against botocore's shape of the call it makes, every reference
against the shape of what it refers to. AWS finds the same mistakes when a run reaches the step.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from infra.training.pipeline.shapes import conform, has_property, operation
from infra.training.pipeline.template import definitions

CREATES = {
    "Processing": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "Tuning": "CreateHyperParameterTuningJob",
    "RegisterModel": "CreateModelPackage",
}
DESCRIBES = {
    "Processing": "DescribeProcessingJob",
    "Training": "DescribeTrainingJob",
    "Tuning": "DescribeHyperParameterTuningJob",
    "RegisterModel": "DescribeModelPackage",
}
NAMED_BY_SAGEMAKER = {"ProcessingJobName", "TrainingJobName", "HyperParameterTuningJobName"}
EXECUTION = {
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
}
_STEP = re.compile(r"Steps\.([A-Za-z0-9-]+)\.(.+)")
_NAMED_ITEM = re.compile(r"ProcessingOutputConfig\.Outputs\['([^']*)'\]")


@dataclass(frozen=True)
class Step:
    """A step and the condition it stands under, if any."""

    body: Mapping[str, Any]
    condition: str | None

    @property
    def kind(self) -> str:
        return str(self.body.get("Type"))

    @property
    def own(self) -> dict[str, Any]:
        """The parts of this step that do not belong to the steps within it."""
        arguments = dict(self.body.get("Arguments", {}))
        arguments.pop("IfSteps", None)
        arguments.pop("ElseSteps", None)
        return {**self.body, "Arguments": arguments}


def check(definition: Mapping[str, Any]) -> list[str]:
    """A sentence for each mistake in a definition."""
    listed = list(_steps(definition.get("Steps", []), None))
    if not listed:
        return ["the definition has no steps"]
    names = [str(step.body.get("Name")) for step in listed]
    problems = [
        f"{name}: more than one step has this name" for name in {n for n in names if names.count(n) > 1}
    ]
    steps = dict(zip(names, listed, strict=True))
    parameters = {parameter["Name"] for parameter in definition.get("Parameters", [])}
    for name, step in steps.items():
        problems += [f"{name}: {problem}" for problem in _arguments(step)]
        problems += [f"{name}: {problem}" for problem in _references(step, steps, parameters)]
    return problems + _order(steps)


def _steps(bodies: list[dict[str, Any]], condition: str | None) -> Iterator[Step]:
    for body in bodies:
        yield Step(body, condition)
        for branch in ("IfSteps", "ElseSteps"):
            yield from _steps(body.get("Arguments", {}).get(branch, []), body.get("Name"))


def _arguments(step: Step) -> Iterator[str]:
    arguments = step.own["Arguments"]
    if step.kind in CREATES:
        shape = operation(CREATES[step.kind]).input_shape
        yield from conform(arguments, shape, "Arguments", given=NAMED_BY_SAGEMAKER)
        outputs = {o["OutputName"] for o in arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])}
        for file in step.body.get("PropertyFiles", []):
            if file["OutputName"] not in outputs:
                yield f"property file {file['PropertyFileName']}: there is no output {file['OutputName']}"
    elif step.kind == "Condition":
        if not arguments.get("Conditions"):
            yield "a condition step needs conditions"
    elif step.kind == "Fail":
        if not arguments.get("ErrorMessage"):
            yield "a fail step that does not say why"
    else:
        yield f"this check does not know the step type {step.kind}"


def _references(step: Step, steps: Mapping[str, Step], parameters: set[str]) -> Iterator[str]:
    for reference in _gets(step.own):
        if reference.startswith("Parameters."):
            if reference.removeprefix("Parameters.") not in parameters:
                yield f"{reference}: no such parameter"
        elif reference.startswith("Execution."):
            if reference.removeprefix("Execution.") not in EXECUTION:
                yield f"{reference}: no such variable"
        elif (match := _STEP.fullmatch(reference)) and match[1] in steps:
            if not _is_there(steps[match[1]], match[2]):
                yield f"{reference}: the step has no such property"
        else:
            yield f"{reference}: no such step"


def _is_there(step: Step, path: str) -> bool:
    if path.startswith("PropertyFiles."):
        files = {file["PropertyFileName"] for file in step.body.get("PropertyFiles", [])}
        return path.removeprefix("PropertyFiles.") in files
    if named := _NAMED_ITEM.match(path):
        outputs = step.body["Arguments"].get("ProcessingOutputConfig", {}).get("Outputs", [])
        if named[1] not in {output["OutputName"] for output in outputs}:
            return False
    return step.kind in DESCRIBES and has_property(operation(DESCRIBES[step.kind]).output_shape, path)


def _gets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("Get"), str):
            yield node["Get"]
        for value in node.values():
            yield from _gets(value)
    elif isinstance(node, list):
        for item in node:
            yield from _gets(item)


def _order(steps: Mapping[str, Step]) -> list[str]:
    problems, needs = [], {}
    for name, step in steps.items():
        referred = {match[1] for match in map(_STEP.fullmatch, _gets(step.own)) if match}
        declared = set(step.body.get("DependsOn", []))
        problems += [
            f"{name}: depends on {other}, which is no step" for other in sorted(declared - set(steps))
        ]
        needs[name] = (referred | declared | ({step.condition} if step.condition else set())) & set(steps)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        problems.append(f"steps wait for each other: {' -> '.join(error.args[1])}")
    return problems


def main(paths: list[str]) -> int:
    """Check the pipelines in some templates; the exit code says whether all are right."""
    checked = 0
    wrong = 0
    for path in map(Path, paths):
        for name, definition in definitions(json.loads(path.read_text())).items():
            problems = check(definition)
            checked, wrong = checked + 1, wrong + bool(problems)
            print(f"{path.name}: {name}: {'wrong' if problems else 'right'}")  # noqa: T201
            for problem in problems:
                print(f"  {problem}")  # noqa: T201
    if not checked:
        print(f"no SageMaker pipeline in: {', '.join(paths) or 'nothing'}", file=sys.stderr)  # noqa: T201
    return 0 if checked and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
