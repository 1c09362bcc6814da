"""The command `outputs`."""

from __future__ import annotations

import json

import typer

from cli.aws.session import connect, deployment
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples

EXAMPLES = examples(
    ("./millrace outputs", "of the only model deployed on the local cloud"),
    ("./millrace outputs --environment dev --model income", "of a model in an account"),
    ("aws s3 ls s3://$(./millrace outputs --key ResultsBucket)/scored/", "one of them, in a command"),
)


def outputs(
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
    key: str | None = typer.Option(None, "--key", "-k", help="Print only this one.", metavar="OUTPUT"),
) -> None:
    """Print as JSON what a deployed model's stacks put out: buckets, queues, endpoint and the rest."""
    deployed = deployment(connect(environment, port), model)
    typer.echo(deployed[key] if key else json.dumps(dict(sorted(deployed.outputs.items())), indent=2))
