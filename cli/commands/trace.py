"""The command `trace`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape

from cli.aws import lineage
from cli.aws.dataset_versions import dataset_version, manifest
from cli.aws.registry import Version, version, versions
from cli.aws.session import Deployment, connect, deployment
from cli.kit.errors import CliError
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.views.terminal import out
from contract.layout import SCORED_PREFIX, UNSCORABLE_PREFIX
from contract.names.outputs import Output
from contract.names.runs import Origin

EXAMPLES = examples(
    ("./millrace trace scored/people.csv/<version id>.csv", "from a result to the bytes behind it"),
    ("./millrace trace millrace-local-tumor/3", "from a scored row's model_version"),
    ("./millrace trace 202bd7fb2733", "what was trained on a dataset version"),
)
Thing = Annotated[
    str,
    typer.Argument(
        metavar="THING", help="A result's key or S3 URI, <group>/<version>, or a dataset version's beginning."
    ),
]


def trace(
    thing: Thing, environment: Environment = LOCAL, model: Model = None, port: Port = DEFAULT_PORT
) -> None:
    """Trace a result or a model version to the bytes it came from, or a dataset to its models."""
    deployed = deployment(connect(environment, port), model)
    for line in traced(deployed, thing):
        out.print(escape(line), soft_wrap=True)


def traced(deployed: Deployment, thing: str) -> Iterator[str]:
    """The lineage of a thing, a line each, indented by the distance from it."""
    if lineage.is_result(thing):
        yield thing
        for name in lineage.model_versions(deployed, thing):
            yield from (f"  {line}" for line in _of_version(deployed, version(deployed, name)))
    elif lineage.is_dataset(thing):
        dataset = dataset_version(deployed, thing)
        yield from _of_dataset(deployed, dataset)
        trained = [each for each in versions(deployed)[0] if each.dataset_version == dataset]
        yield from (f"  trained on it: {each.name}, {each.status}" for each in trained)
        if not trained:
            yield "  no registered version was trained on it"
    elif thing.rpartition("/")[2].isdecimal():
        yield from _of_version(deployed, version(deployed, thing))
    else:
        raise CliError(_no_such_thing(deployed, thing))


def _no_such_thing(deployed: Deployment, thing: str) -> str:
    if thing.startswith(UNSCORABLE_PREFIX):
        return f"{thing} was not made by a model: it says why its upload was not scored."
    group = deployed[Output.PACKAGE_GROUP]
    return (
        f"{thing!r} is neither a result, such as {SCORED_PREFIX}people.csv/<version id>.csv, nor a model "
        f"version, such as {group}/3, nor the beginning of a dataset version, such as 202bd7fb2733."
    )


def _of_version(deployed: Deployment, package: Version) -> Iterator[str]:
    yield f"model version {package.name}, {package.status}, created {package.created}"
    yield f"  package {package.arn}"
    yield f"  run {package.origin.get(Origin.RUN_URI, 'unknown')}"
    yield f"  code {package.origin.get(Origin.CODE_DIGEST, 'unknown')}"
    if package.dataset_version:
        yield from (f"  {line}" for line in _of_dataset(deployed, package.dataset_version))
    else:
        yield "  dataset unknown: the package does not name it"


def _of_dataset(deployed: Deployment, version: str) -> Iterator[str]:
    yield f"dataset {version}"
    files = manifest(deployed, version)
    if files is None:
        yield "  its manifest is missing"
        return
    for each in files.objects:
        yield f"  {each.key}, version {each.version_id}, {each.size} bytes, SHA-256 {each.sha256}"
