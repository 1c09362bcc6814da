"""Redrive routes of a model, as its stacks put them out: how what was given up on is done again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from cli.aws.redrive.batch_restart import restart
from cli.aws.redrive.dead_letters import count, dead_letters, delete, move
from cli.aws.session import Deployment
from cli.kit.errors import CliError
from contract.names.outputs import Kind, Redrive, RedriveRoute, of_kind, output_key

Report = Callable[[str], object]
"""Is given the progress, as a text."""


@dataclass(frozen=True)
class Result:
    """The number done again, and a text about what is left."""

    done: int
    left: str

    @classmethod
    def of(cls, done: int, left: int) -> Result:
        """The result where nothing more is to be said than how many are left."""
        return cls(done, f"{left} left" if left else "none left")


@dataclass(frozen=True)
class Route:
    """The redrive route of `name` in one deployment."""

    deployed: Deployment
    name: str
    target: str

    @property
    def dead_letter_queue(self) -> str:
        """The URL of its dead letters."""
        return self.deployed[output_key(self.name, Kind.DEAD_LETTER_QUEUE)]


def redrives(deployed: Deployment) -> dict[str, Callable[[Report], Result]]:
    """Return the redrive routes by name, each as a call that does it.

    Raises:
        CliError: the deployed stacks are older than this command, or newer.
    """
    routes = of_kind(deployed.outputs, Kind.REDRIVE_ROUTE)
    if not routes:
        raise deployed.outdated("redrive routes")
    return {name: _redrive(deployed, name, text) for name, text in routes.items()}


def _redrive(deployed: Deployment, name: str, text: str) -> Callable[[Report], Result]:
    try:
        route = RedriveRoute.parse(text)
    except ValueError as error:
        raise CliError(
            f"the redrive route {name} is {text!r}, which this version does not know: update the code."
        ) from error
    return lambda report: _HOW[route.how](Route(deployed, name, route.target), report)


def send(route: Route, report: Report) -> Result:
    """Send all dead letters back to their queue."""
    sqs, source = route.deployed.aws.sqs, route.dead_letter_queue
    total = count(sqs, source)
    moved = move(
        sqs, source, route.target, on_moved=lambda done: report(f"{done} of about {total} sent back")
    )
    return Result.of(moved, count(sqs, source))


def invoke(route: Route, report: Report) -> Result:
    """Invoke a function with each dead letter's event."""
    sqs, source = route.deployed.aws.sqs, route.dead_letter_queue
    done = 0
    for batch in dead_letters(sqs, source):
        for dead_letter in batch:
            route.deployed.aws.functions.invoke(
                FunctionName=route.target,
                InvocationType="Event",
                Payload=_event(dead_letter.body).encode(),
            )
        delete(sqs, source, batch)
        done += len(batch)
        report(f"{done} handed over")
    return Result.of(done, 0)


def start_newest(route: Route, report: Report) -> Result:
    """Start a state machine with the newest approval; it ends there if a later one is live.

    An approval that was overtaken by a later one would take the model back to what it was.
    """
    sqs, source = route.deployed.aws.sqs, route.dead_letter_queue
    waiting = [dead_letter for batch in dead_letters(sqs, source) for dead_letter in batch]
    report(f"{len(waiting)} approvals")
    approvals = sorted((dead_letter.approval, dead_letter) for dead_letter in waiting if dead_letter.approval)
    for _, newest in approvals[-1:]:
        # Without a name, as EventBridge starts it: releasing a package again changes nothing.
        route.deployed.aws.stepfunctions.start_execution(stateMachineArn=route.target, input=newest.body)
    delete(sqs, source, [dead_letter for _, dead_letter in approvals])
    started = len(approvals[-1:])
    result = Result.of(started, len(waiting) - len(approvals))
    overtaken = len(approvals) - started
    return Result(started, f"{result.left}, {overtaken} overtaken") if overtaken else result


def restart_failed(route: Route, report: Report) -> Result:
    """Start the batch of large uploads again that failed, run no more and have no outcome."""
    return Result.of(restart(route.deployed, route.target, report), 0)


def _event(body: str) -> str:
    """The event in a dead letter: as EventBridge could not deliver it, or within Lambda's report of it."""
    try:
        return json.dumps(json.loads(body)["requestPayload"])
    except (ValueError, LookupError, TypeError):
        return body


_HOW: dict[Redrive, Callable[[Route, Report], Result]] = {
    Redrive.SEND: send,
    Redrive.INVOKE: invoke,
    Redrive.START_NEWEST: start_newest,
    Redrive.RESTART: restart_failed,
}
