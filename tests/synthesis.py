"""Synthesise the app in this process, without a network and without CDK's own, slow validation."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import aws_cdk as cdk
import pytest

from infra.app import FLAGS, Configuration, compose

Resources = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Synthesis:
    """A cloud assembly: its folder, the two templates, and the folder of the functions' code."""

    folder: Path
    configuration: Configuration
    storage: dict[str, Any]
    loop: dict[str, Any]
    bundle: Path

    @property
    def templates(self) -> list[dict[str, Any]]:
        return [self.storage, self.loop]

    def of_type(self, kind: str) -> Resources:
        """The resources of one CloudFormation type in both stacks, by logical id."""
        return {name: r for name, r in self.resources() if r["Type"] == kind}

    def resources(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """All resources of both stacks."""
        for template in self.templates:
            yield from template["Resources"].items()


def synthesise(root: Path, environment: str, folder: Path) -> Synthesis:
    """The cloud assembly of the model `tumor` in an environment."""
    return compose_alone(Configuration.read(root, environment=environment, model="tumor"), folder)


def compose_alone(configuration: Configuration, folder: Path) -> Synthesis:
    """The cloud assembly of a configuration."""
    with alone():
        app = cdk.App(context=FLAGS, outdir=str(folder / "cdk.out"))
        storage, loop = compose(app, configuration, build=folder / "build")
        app.synth()
    return Synthesis(
        folder=folder / "cdk.out",
        configuration=configuration,
        storage=_template(folder, storage),
        loop=_template(folder, loop),
        bundle=folder / "build" / "lambdas" / f"millrace-{configuration.environment_name}-tumor",
    )


@contextmanager
def alone() -> Iterator[None]:
    """No network, and no validation by CDK of what CloudFormation would say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        patch.setattr(socket.socket, "connect", _refuse)
        patch.setattr(socket, "getaddrinfo", _refuse)
        yield


def _template(folder: Path, stack: cdk.Stack) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((folder / "cdk.out" / stack.template_file).read_text())
    return template


def _refuse(*arguments: object, **_options: object) -> NoReturn:
    raise AssertionError(f"synthesis must not use the network: {arguments}")
