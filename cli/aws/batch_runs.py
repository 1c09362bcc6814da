"""Batches of large uploads that run now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from cli.aws.session import Deployment
from contract.names.outputs import Kind, output_key

SHOWN = 5
EVENTS = 20
"""The last events of an execution, in which it enters the state that it is in."""


@dataclass(frozen=True)
class RunningBatch:
    """A batch's execution. `waits_for` has SageMaker's refusal where it waits for instances."""

    batch: str
    waits_for: str = ""


def running_batches(deployed: Deployment) -> Iterator[RunningBatch]:
    """The batches that run, the newest first."""
    functions = deployed.aws.stepfunctions
    machine = deployed[output_key("batch", Kind.STATE_MACHINE)]
    executions = functions.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=SHOWN)
    for execution in executions["executions"]:
        history = functions.get_execution_history(
            executionArn=execution["executionArn"], reverseOrder=True, maxResults=EVENTS
        )
        entered = (event.get("stateEnteredEventDetails") for event in history["events"])
        state = next(filter(None, entered), None)
        waits = state is not None and state["name"].endswith("Instances")
        known = json.loads(state.get("input", "{}")) if state is not None and waits else {}
        yield RunningBatch(execution["name"], str(known.get("quota", {}).get("Cause", "")))
