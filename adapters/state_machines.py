"""Step Functions, as `StateMachine` of `adapters.ports`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from adapters.clients import client, translated
from adapters.errors import AlreadyExists

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class StandardStateMachine:
    """A standard state machine, which keeps the names of its executions for 90 days."""

    arn: str
    client: SFNClient = field(default_factory=partial(client, "stepfunctions"), repr=False)

    def start(self, name: str, argument: Mapping[str, str]) -> None:
        with suppress(AlreadyExists), translated("StartExecution"):
            self.client.start_execution(
                stateMachineArn=self.arn, name=name, input=json.dumps(argument, sort_keys=True)
            )

    def running(self) -> Collection[str]:
        pages = self.client.get_paginator("list_executions")
        with translated("ListExecutions"):
            return {
                execution["name"]
                for page in pages.paginate(stateMachineArn=self.arn, statusFilter="RUNNING")
                for execution in page["executions"]
            }
