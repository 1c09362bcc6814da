"""The interfaces through which logic calls AWS. The adapters implement them, and so do the tests' fakes.

Standard library only, so that logic imports no boto3. Every method may raise the errors
of `adapters.errors`; a docstring names those that its callers handle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedIOBase
from typing import IO, Any, Protocol

from contract.names.metrics import Dimension, Metric


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One object at one version, opened to be read once. `size` in bytes; `last_modified` is aware."""

    stream: BufferedIOBase
    size: int
    last_modified: datetime


@dataclass(frozen=True, kw_only=True)
class ObjectVersion:
    """One object at one version, as listed. `size` in bytes."""

    key: str
    version_id: str
    size: int


@dataclass(frozen=True, kw_only=True)
class ListedVersion:
    """One version of an object, current or not, as listed. `last_modified` in epoch seconds."""

    key: str
    version_id: str
    last_modified: float


@dataclass(frozen=True, kw_only=True)
class Response:
    """The model server's response to one request. `model_version` is empty if it named none.

    `rows`, of those `rejected`, and by column how many categories are `unseen`, are set where the
    answer is a whole table.
    """

    body: bytes
    model_version: str
    rows: int | None = None
    rejected: int | None = None
    unseen: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FailedStep:
    """A step of a pipeline that failed or was stopped. `reason` is what its job said, or SageMaker of it.

    `verdict` of a step that is there to fail: the pipeline's own word that no model is registered.
    """

    name: str
    reason: str
    verdict: bool = False


@dataclass(frozen=True)
class RunningJob:
    """A SageMaker job that is in progress. `kind` is that of its operations, such as `ProcessingJob`."""

    kind: str
    name: str


class StartedJobs(Protocol):
    """The SageMaker jobs that executions of a state machine start."""

    def names(self, execution_arn: str) -> Collection[str]:
        """How the names of an execution's jobs begin; none if it came to none."""

    def running(self, prefix: str) -> Iterable[RunningJob]:
        """The jobs in progress whose names contain a prefix."""

    def stop(self, job: RunningJob) -> None:
        """Ask SageMaker to stop a job."""


class Bucket(Protocol):
    """One bucket, in which an object once created is never replaced."""

    @property
    def name(self) -> str: ...

    def open(self, key: str, version_id: str | None = None) -> StoredObject:
        """The object at a version (or the current one). Raises NotFound."""

    def read(self, key: str) -> bytes:
        """A small object's bytes. Raises NotFound."""

    def exists(self, key: str) -> bool:
        """Return True if there is an object of this key."""

    def holds(self, prefix: str) -> bool:
        """Return True if there is an object whose key begins so."""

    def has_version(self, key: str, version_id: str) -> bool:
        """Return True if there is this version of an object, current or not."""

    def replace(self, key: str, body: bytes, content_type: str) -> None:
        """Write an object whether or not there is one."""

    def versions(self, prefix: str, after: str) -> Iterator[ListedVersion]:
        """Every version of every object under a prefix whose key comes after one, by key."""

    def withdraw(self, key: str) -> None:
        """Hide an object. Its versions are kept."""

    def create(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        """Write an object that does not exist yet. Raises AlreadyExists."""

    def current_versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """The current version of every object under a prefix, by key."""

    def copy(self, source: ObjectVersion, key: str) -> None:
        """Copy one version of an object of this bucket to a key of this bucket, of any size."""


class ModelServer(Protocol):
    """The model that is live."""

    @property
    def max_bytes(self) -> int:
        """The largest request and response, in bytes."""

    def predict(self, body: bytes, content_type: str) -> Response:
        """Ask for the predictions of a table, as `contract.serving` says.

        Raises ModelRefused; its status is 413 where fewer rows have an answer that is short enough.
        """


class Queue(Protocol):
    """The queue that a message was received from."""

    def delay(self, receipt_handle: str, seconds: int) -> None:
        """Hide a received message for this long before it is delivered again."""


class Outbox(Protocol):
    """A queue that messages are sent to."""

    def send(self, bodies: Sequence[str]) -> None:
        """Send one message a body, all of them or fail; what was sent before a failure stays sent."""


class StateMachine(Protocol):
    """A state machine whose executions are named after what they are about."""

    def start(self, name: str, argument: Mapping[str, str]) -> None:
        """Start an execution, unless one of this name was started before."""

    def running(self) -> Collection[str]:
        """Names of the executions that have not ended."""


class Pipeline(Protocol):
    """The training pipeline."""

    def start(self, run_id: str, parameters: Mapping[str, str]) -> str:
        """Start a run, or find the one of this id; its execution ARN."""

    def is_running(self, execution_arn: str) -> bool:
        """Return True if a run is still in progress; False if nothing is known of it any more."""


class Executions(Protocol):
    """Executions of the training pipeline."""

    def parameters(self, execution_arn: str) -> Mapping[str, str]:
        """Return the parameters of an execution."""

    def reason(self, execution_arn: str) -> str:
        """Return SageMaker's reason for an execution's failure; it may be empty."""

    def failed_steps(self, execution_arn: str) -> Sequence[FailedStep]:
        """The steps that ended otherwise than well, as they began."""


class Registry(Protocol):
    """The model registry."""

    def describe(self, model_package_arn: str) -> Mapping[str, Any]:
        """A model package as SageMaker's DescribeModelPackage answers. Raises NotFound."""


class Catalogue(Protocol):
    """The model packages that there are."""

    def made_of(self, group: str, origin: Mapping[str, str]) -> str:
        """ARN of a group's newest package whose metadata say this of its origin; empty if there is none."""


class Parameter(Protocol):
    """One parameter of the account's parameter store."""

    def read(self) -> str:
        """Its value. Raises NotFound."""


class Metrics(Protocol):
    """A sink of measurements."""

    def emit(self, values: Mapping[Metric, float], by: Mapping[Dimension, str] | None = None) -> None:
        """Record one value of each metric, now; also under further dimensions, where there are some."""
