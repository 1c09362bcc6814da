"""The command `redrive`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.progress import Progress

from cli.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.session import Deployment, connect, deployment
from cli.terminal import out

EXAMPLES = examples(
    ("./millrace redrive score", "uploads that were given up on are scored after all"),
    ("./millrace redrive training --environment prod --model income", "in an account"),
    ("./millrace redrive release", "approvals that did not reach the release are released"),
)

AT_A_TIME = 10
HIDDEN_SECONDS = 60
"""For how long a message in hand is hidden; one that could not be sent on appears again."""


class Work(StrEnum):
    """What the messages of a dead-letter queue are about."""

    SCORE = "score"
    TRAINING = "training"
    RELEASE = "release"


DEAD_LETTERS = {
    Work.SCORE: "ScoreDeadLetterQueueUrl",
    Work.TRAINING: "TrainingDeadLetterQueueUrl",
    Work.RELEASE: "ReleaseDeadLetterQueueUrl",
}


def redrive(
    work: Annotated[Work, typer.Argument(help="Which messages: those about uploads to score, and so on.")],
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """Send the messages that were given up on back to work, once what broke them is mended.

    Sending one twice does no harm: an upload that has its outcome is left alone, and the same
    data is not trained twice.
    """
    deployed = deployment(connect(environment, port), model)
    url = deployed[DEAD_LETTERS[work]]
    with Progress(console=out, transient=True) as progress:
        task = progress.add_task(f"{work}: sending back", total=None)
        count = _drain(deployed, url, _sender(deployed, work), lambda: progress.advance(task))
    out.print(f"Sent back {count} messages ({work})." if count else f"Nothing was given up on ({work}).")


def _sender(deployed: Deployment, work: Work) -> Callable[[str], Any]:
    if work is Work.RELEASE:
        machine = deployed["ReleaseStateMachineArn"]
        return lambda body: deployed.aws.stepfunctions.start_execution(stateMachineArn=machine, input=body)
    queue = deployed["ScoreQueueUrl" if work is Work.SCORE else "TrainingQueueUrl"]
    return lambda body: deployed.aws.sqs.send_message(QueueUrl=queue, MessageBody=body)


def _drain(deployed: Deployment, url: str, send: Callable[[str], Any], sent: Callable[[], None]) -> int:
    """Send every message on, and only then delete it: a crash between doubles one and loses none."""
    sqs = deployed.aws.sqs
    count = 0
    # A long poll asks all of SQS's servers, so that an empty answer means an empty queue.
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=AT_A_TIME, VisibilityTimeout=HIDDEN_SECONDS, WaitTimeSeconds=1
    ).get("Messages", []):
        for message in messages:
            send(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            count += 1
            sent()
    return count
