"""State machines as they are deployed, and what can be asked of any of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from infra.training.pipeline.template import render
from tests.synthesis import Synthesis

Machine = dict[str, Any]


def machine_of(stacks: Synthesis, ending: str) -> Machine:
    """The definition of the one state machine whose name ends so."""
    machines = stacks.of_type("AWS::StepFunctions::StateMachine").values()
    [machine] = [m for m in machines if m["Properties"]["StateMachineName"].endswith(ending)]
    definition: Machine = json.loads(render(machine["Properties"]["DefinitionString"]))
    return definition


def follows(state: dict[str, Any]) -> Iterator[str]:
    """The states that may come after a state."""
    for branch in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in branch:
            yield branch["Next"]
    if "Default" in state:
        yield state["Default"]


def reached(machine: Machine) -> set[str]:
    """The states that an execution can come to."""
    seen: set[str] = set()
    todo = [machine["StartAt"]]
    while todo:
        if (name := todo.pop()) not in seen:
            seen.add(name)
            todo.extend(follows(machine["States"][name]))
    return seen


def calls(machine: Machine, service: str = "sagemaker") -> list[tuple[str, dict[str, Any]]]:
    """The calls of a service, each by its operation with what it sends."""
    return [
        ((action := state["Resource"].rsplit(":", 1)[1])[0].upper() + action[1:], state["Parameters"])
        for state in machine["States"].values()
        if f":aws-sdk:{service}:" in state.get("Resource", "")
    ]


def known(value: Any) -> Any:
    """Parameters with what a path will find standing as an expression."""
    if isinstance(value, dict):
        return {k.removesuffix(".$"): {"Get": v} if k.endswith(".$") else known(v) for k, v in value.items()}
    return [known(item) for item in value] if isinstance(value, list) else value
