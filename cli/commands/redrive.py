"""The command `redrive`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import typer
from botocore.exceptions import ClientError
from rich.table import Table

from cli.aws.dead_letters import count, dead_letters, delete, move
from cli.aws.releases import FAILED
from cli.aws.session import Deployment, connect, deployment
from cli.errors import error_code
from cli.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.views.terminal import err, out
from contract import layout

EXAMPLES = examples(
    ("./millrace redrive", "everything that was given up on, once its reason is gone"),
    ("./millrace redrive score", "only uploads to score"),
    ("./millrace redrive batch release --environment prod", "two of an account"),
)


class Source(StrEnum):
    """What can be given up on."""

    SCORE = "score"
    BATCH = "batch"
    TRAINING = "training"
    RELEASE = "release"
    FAILURE = "failure"


Which = Annotated[
    list[Source] | None,
    typer.Argument(metavar="PATH", help=f"Of {', '.join(Source)}. Default: all.", show_default=False),
]
Tell = Callable[[str], object]


def redrive(
    which: Which = None, environment: Environment = LOCAL, model: Model = None, port: Port = DEFAULT_PORT
) -> None:
    """Do again what was given up on: dead letters, and large uploads whose batch failed.

    Nothing is done twice by it: what has its outcome meanwhile is left alone. What fails again is given up
    on again; read the log first (./millrace logs).
    """
    deployed = deployment(connect(environment, port), model)
    table = Table("path", "done again", "left", box=None, padding=(0, 3), header_style="dim")
    for path in which or list(Source):
        with err.status(f"{path}: looking") as status:
            done, left = _REDRIVES[path](deployed, lambda text, path=path: status.update(f"{path}: {text}"))  # type: ignore[misc]
        table.add_row(path, str(done), left)
    out.print(table)


def redrive_score(deployed: Deployment, tell: Tell) -> tuple[int, str]:
    """Send uploads to score back to their queue."""
    return _move(deployed, "Score", tell)


def redrive_training(deployed: Deployment, tell: Tell) -> tuple[int, str]:
    """Send training uploads back to their queue."""
    return _move(deployed, "Training", tell)


def _move(deployed: Deployment, name: str, tell: Tell) -> tuple[int, str]:
    sqs, source = deployed.aws.sqs, deployed[f"{name}DeadLetterQueueUrl"]
    total = count(sqs, source)
    target = deployed[f"{name}QueueUrl"]
    moved = move(sqs, source, target, on_moved=lambda done: tell(f"{done} of about {total} sent back"))
    return moved, _left(count(sqs, source))


def redrive_release(deployed: Deployment, tell: Tell) -> tuple[int, str]:
    """Start the release of the newest approval; the state machine ends it where a later one is live.

    An approval that was overtaken by a later one would take the model back to what it was.
    """
    sqs, source = deployed.aws.sqs, deployed["ReleaseDeadLetterQueueUrl"]
    found = [dead_letter for batch in dead_letters(sqs, source) for dead_letter in batch]
    tell(f"{len(found)} approvals")
    approvals = sorted((dead_letter.approval, dead_letter) for dead_letter in found if dead_letter.approval)
    for _, newest in approvals[-1:]:
        # Without a name, as EventBridge starts it: releasing a package again changes nothing.
        deployed.aws.stepfunctions.start_execution(
            stateMachineArn=deployed["ReleaseStateMachineArn"], input=newest.body
        )
    delete(sqs, source, [dead_letter for _, dead_letter in approvals])
    started = len(approvals[-1:])
    overtaken = len(approvals) - started
    left = _left(len(found) - len(approvals))
    return started, f"{left}, {overtaken} overtaken" if overtaken else left


def redrive_failure(deployed: Deployment, tell: Tell) -> tuple[int, str]:
    """Have failed runs reported that nobody was told of."""
    sqs, source = deployed.aws.sqs, deployed["FailureDeadLetterQueueUrl"]
    reported = 0
    for batch in dead_letters(sqs, source):
        for dead_letter in batch:
            deployed.aws.functions.invoke(
                FunctionName=deployed["ReportFailureFunction"],
                InvocationType="Event",
                Payload=_event(dead_letter.body).encode(),
            )
        delete(sqs, source, batch)
        reported += len(batch)
        tell(f"{reported} handed over")
    return reported, _left(0)


def _event(body: str) -> str:
    """The event of a failed run: as EventBridge could not deliver it, or within what Lambda says of it."""
    try:
        return json.dumps(json.loads(body)["requestPayload"])
    except (ValueError, LookupError, TypeError):
        return body


def redrive_batch(deployed: Deployment, tell: Tell) -> tuple[int, str]:
    """Start the batch of large uploads again that failed, run no more and have no outcome."""
    ended = _executions(deployed, sorted(FAILED))
    running = _executions(deployed, ["RUNNING"])
    broken = [batch for batch in ended if batch not in running and not _is_settled(deployed, batch)]
    for number, batch in enumerate(broken):
        tell(f"{number} of {len(broken)} started")
        _start_batch(deployed, batch, attempt=ended[batch])
    return len(broken), _left(0)


def _executions(deployed: Deployment, statuses: Sequence[str]) -> Counter[str]:
    """How many executions of each batch have a status. They are named after it, and after the attempt."""
    pages = deployed.aws.stepfunctions.get_paginator("list_executions")
    return Counter(
        layout.batch_of(execution["name"])
        for status in statuses
        for page in pages.paginate(
            stateMachineArn=deployed["BatchStateMachineArn"],
            statusFilter=status,  # type: ignore[arg-type]  # of three literals
        )
        for execution in page["executions"]
    )


def _start_batch(deployed: Deployment, batch: str, *, attempt: int) -> None:
    try:
        deployed.aws.stepfunctions.start_execution(
            stateMachineArn=deployed["BatchStateMachineArn"],
            # The same at each call of this command for the same failure: two at once start one.
            name=layout.batch_execution(batch, attempt),
            input=json.dumps({"batch": batch}),
        )
    except ClientError as error:
        if error_code(error) != "ExecutionAlreadyExists":
            raise


def _is_settled(deployed: Deployment, batch: str) -> bool:
    """Whether the batch's upload has an outcome, or is known no more."""
    s3, key = deployed.aws.s3, layout.batch_upload_key(batch)
    try:
        upload = json.loads(s3.get_object(Bucket=deployed["ArtifactsBucket"], Key=key)["Body"].read())
    except ClientError as error:
        if error_code(error) != "NoSuchKey":
            raise
        return True
    places = (
        layout.scored_stem(upload["key"], upload["version_id"]),
        layout.unscorable_key(upload["key"], upload["version_id"]),
    )
    results = deployed["ResultsBucket"]
    return any(s3.list_objects_v2(Bucket=results, Prefix=place, MaxKeys=1)["KeyCount"] for place in places)


def _left(number: int) -> str:
    return f"{number} left" if number else "none left"


_REDRIVES: dict[Source, Callable[[Deployment, Tell], tuple[int, str]]] = {
    Source.SCORE: redrive_score,
    Source.BATCH: redrive_batch,
    Source.TRAINING: redrive_training,
    Source.RELEASE: redrive_release,
    Source.FAILURE: redrive_failure,
}
