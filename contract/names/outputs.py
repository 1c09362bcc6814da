"""The outputs of the stacks, by which commands and people find what is deployed.

An output is called `<Name><Kind>`: `ScoreQueueUrl` is the queue of `score`. Commands find log sources,
queues and redrive routes by the kind, so that a new capability is found without being listed anywhere.
What there is only once has a name of its own, an `Output`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Output(StrEnum):
    """Outputs that each model has once."""

    DATA_BUCKET = "DataBucket"
    RESULTS_BUCKET = "ResultsBucket"
    ARTIFACTS_BUCKET = "ArtifactsBucket"
    KEY = "KeyArn"
    PACKAGE_GROUP = "ModelPackageGroup"
    SERVING_ROLE = "ServingRoleArn"
    IMAGE = "ImageUri"
    PIPELINE = "Pipeline"
    PIPELINE_ARN = "PipelineArn"
    ENDPOINT = "Endpoint"
    """Not where only the batch path scores."""
    PAGE_TOPIC = "PageTopicArn"
    PAGE_INBOX = "PageInboxUrl"
    """Only where a queue gets every page."""


class Kind(StrEnum):
    """The endings of outputs that capabilities have under names of their own."""

    FUNCTION = "Function"
    """The name of a Lambda function."""
    STATE_MACHINE = "StateMachineArn"
    QUEUE = "QueueUrl"
    DEAD_LETTER_QUEUE = "DeadLetterQueueUrl"
    LOG_SOURCE = "LogSource"
    """A log group, or the ARN of a state machine or pipeline, whose executions and jobs have logs."""
    REDRIVE_ROUTE = "RedriveRoute"
    """A `RedriveRoute`."""


class Redrive(StrEnum):
    """The ways in which dead letters are done again."""

    SEND = "send"
    """Its dead letters go back to a queue."""
    INVOKE = "invoke"
    """A function is invoked with each of its dead letters."""
    START_NEWEST = "start-newest"
    """A state machine is started with the newest approval among its dead letters."""
    RESTART = "restart"
    """A state machine's failed executions are started again where their upload has no outcome."""


@dataclass(frozen=True)
class RedriveRoute:
    """One way to do dead letters again, and the queue, function or state machine that does it."""

    how: Redrive
    target: str

    def __str__(self) -> str:
        return f"{self.how} {self.target}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The route that an output's value describes.

        Raises:
            ValueError: it describes none that this code knows.
        """
        how, _, target = text.partition(" ")
        return cls(Redrive(how), target)


START_TRAINING, RELEASE_MACHINE = "StartTrainingFunction", "ReleaseStateMachineArn"
"""Of the outputs of capabilities, those that commands ask for by name."""


def output_key(name: str, kind: Kind) -> str:
    """The key of an output: `start-training` and `FUNCTION` give `StartTrainingFunction`.

    Raises:
        ValueError: the name is not lower-case words joined by dashes.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*", name):
        raise ValueError(f"{name!r} is not lower-case words joined by dashes")
    return "".join(word.capitalize() for word in name.split("-")) + kind


def of_kind(outputs: Mapping[str, str], kind: Kind) -> dict[str, str]:
    """The outputs of one kind, by name, sorted."""
    keys = sorted((_words(key.removesuffix(kind)), key) for key in outputs if _kind_of(key) is kind)
    return {name: outputs[key] for name, key in keys}


def _kind_of(key: str) -> Kind | None:
    """The kind of an output, or None; of two endings that fit, the longer one."""
    fitting = [kind for kind in Kind if key.endswith(kind) and key != kind]
    return max(fitting, key=len, default=None)


def _words(camel: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", camel).lower()
