"""The commands `up`, `down` and `env`: the local cloud, and how other tools reach it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Annotated

import typer

import local
from cli.aws import session
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Port, examples
from cli.kit.paths import ROOT, cloud_folder, tool_path
from cli.kit.settings import environment_settings
from cli.views.terminal import err, out

UP_EXAMPLES = examples(
    ("./millrace up", "start it, or say that it runs"),
    ("./millrace up --port 4577", "a second one beside it"),
    ("./millrace up --strict", "one that throttles, delays and has quotas, as accounts do"),
    ("./millrace up --strict --seed 7", "the same again: what fails with a seed fails again"),
    ('./millrace up && eval "$(./millrace env)" && aws s3 ls', "and use it with the AWS CLI"),
)
DOWN_EXAMPLES = examples(
    ("./millrace down", "stop it: what was in it is gone"),
    ("./millrace down --port 4577", "the one on another port"),
)
ENV_EXAMPLES = examples(
    ('eval "$(./millrace env)"', "this shell's AWS CLI, boto3 and CDK CLI now use the local cloud"),
    ('eval "$(./millrace env)" && aws s3 ls', "list its buckets"),
    ('eval "$(./millrace env --environment dev)"', "this shell's AWS_REGION is that of dev"),
)


Strict = Annotated[bool, typer.Option("--strict", help="Throttle, delay and have quotas.")]
Seed = Annotated[int, typer.Option("--seed", metavar="NUMBER", help="Which throttles and delays, if strict.")]


def up(port: Port = DEFAULT_PORT, strict: Strict = False, seed: Seed = 1) -> None:
    """Start AWS on this laptop, in the background, and wait until it is ready."""
    folder = cloud_folder(port)
    info = local.status(folder)
    if info is not None:
        out.print(f"The local cloud is already running: {info.endpoint_url}")
        return
    with err.status("Starting the local cloud"):
        info = local.start(folder, port, image_root=ROOT, strict=seed if strict else None)
    out.print(f"The local cloud is up: {info.endpoint_url} (log: .millrace/cloud-{port}/cloud.log)")


def down(port: Port = DEFAULT_PORT) -> None:
    """Stop the local cloud and everything that runs in it. Its data is not kept."""
    with err.status("Stopping the local cloud"):
        stopped = local.stop(cloud_folder(port))
    out.print("The local cloud is down." if stopped else f"No local cloud is running on port {port}.")


def env(environment: Environment = LOCAL, port: Port = DEFAULT_PORT) -> None:
    """Print what a shell must export for the AWS CLI, boto3 and the CDK CLI to use an environment."""
    for line in _local_exports(port) if environment == LOCAL else _account_exports(environment):
        typer.echo(line)


def _local_exports(port: int) -> Iterator[str]:
    for name, value in session.local_variables(port).items():
        yield f"export {name}={shlex.quote(value)}"
    yield f"unset {' '.join(session.ABSENT)}"
    yield f"export MILLRACE_PORT={port}"
    yield f"export PATH={shlex.quote(tool_path())}"


def _account_exports(environment: str) -> Iterator[str]:
    region = environment_settings(environment).region
    yield f"export AWS_REGION={shlex.quote(region)}"
