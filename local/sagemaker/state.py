"""What the service knows: one table for each kind of resource, of records shaped as Describe answers.

Nothing of it is in moto's SageMaker backend. Measured against moto 5.2.5, each operation needed here
behaves otherwise than AWS: creating twice silently replaces a model, an endpoint configuration or a
group; UpdateModelPackage without an approval status erases it, and replaces the metadata instead of
merging it; a version number is given out again after a deletion; ClientToken and ClientRequestToken
are ignored; EnableNetworkIsolation and ExecutionRoleArn are lost; jobs are Completed at once; and
DeleteModelPackage, DeleteModelPackageGroup and UpdateEndpoint are missing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.sagemaker.errors import ServiceError, in_use, invalid, not_found
from local.sagemaker.resources import arn, name_of

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of resource: how its records are named, and what AWS says of one missing or taken."""

    noun: str
    resource: str
    missing: ServiceError
    taken: ServiceError
    name: str = ""
    status: str = ""

    @property
    def name_member(self) -> str:
        return self.name or f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        return f"{self.noun}Arn"

    @property
    def status_member(self) -> str:
        return self.status or f"{self.noun}Status"


_JOB_TAKEN = (
    "Job name must be unique within an AWS account and region, and a job with this name already exists "
    "({arn})"
)

PROCESSING_JOB = Kind(
    noun="ProcessingJob",
    resource="processing-job",
    missing=invalid("Could not find requested job with name: {name}"),
    taken=in_use(_JOB_TAKEN),
)
TRAINING_JOB = Kind(
    noun="TrainingJob",
    resource="training-job",
    missing=invalid("Requested resource not found."),
    taken=in_use(_JOB_TAKEN),
)
TUNING_JOB = Kind(
    noun="HyperParameterTuningJob",
    resource="hyper-parameter-tuning-job",
    missing=not_found("Amazon SageMaker can't find a tuning job with name: {name}."),
    taken=in_use(
        "A hyperparameter tuning job with the name, {name}, already exists. Choose a different name."
    ),
)
TRANSFORM_JOB = Kind(
    noun="TransformJob",
    resource="transform-job",
    missing=invalid("Could not find requested job with name: {name}"),
    taken=in_use(_JOB_TAKEN),
)
PIPELINE = Kind(
    noun="Pipeline",
    resource="pipeline",
    missing=not_found("Pipeline '{arn}' does not exist."),
    taken=invalid(
        "Pipeline names must be unique within an AWS account and region. "
        "Pipeline with name ({name}) already exists."
    ),
)
EXECUTION = Kind(
    noun="PipelineExecution",
    resource="pipeline",
    name="PipelineExecutionArn",
    missing=not_found("Pipeline execution '{arn}' does not exist."),
    taken=in_use("Pipeline execution '{arn}' already exists."),
)
MODEL_PACKAGE_GROUP = Kind(
    noun="ModelPackageGroup",
    resource="model-package-group",
    missing=invalid("ModelPackageGroup {arn} does not exist."),
    taken=invalid("Model Package Group already exists: {arn}"),
)
MODEL_PACKAGE = Kind(
    noun="ModelPackage",
    resource="model-package",
    name="ModelPackageArn",
    missing=invalid("ModelPackage {arn} does not exist."),
    taken=in_use("ModelPackage {arn} already exists."),
)
MODEL = Kind(
    noun="Model",
    resource="model",
    missing=invalid('Could not find model "{arn}".'),
    taken=invalid('Cannot create already existing model "{arn}".'),
)
ENDPOINT_CONFIG = Kind(
    noun="EndpointConfig",
    resource="endpoint-config",
    missing=invalid('Could not find endpoint configuration "{arn}".'),
    taken=invalid('Cannot create already existing endpoint configuration "{arn}".'),
)
ENDPOINT = Kind(
    noun="Endpoint",
    resource="endpoint",
    missing=invalid('Could not find endpoint "{arn}".'),
    taken=invalid('Cannot create already existing endpoint "{arn}".'),
)


ENDED = ("Completed", "Failed", "Stopped")
"""Of a job's statuses, those that do not change any more."""


def now() -> datetime:
    """The time as records hold it."""
    return datetime.now(UTC)


class State:
    """The tables. Records are changed only through it, so that a reader never sees half a change."""

    def __init__(self, region: str, account: str) -> None:
        self.region = region
        self.account = account
        self.lock = threading.RLock()
        self._tables: dict[str, dict[str, Record]] = {}
        self.tags: dict[str, dict[str, str]] = {}

    def arn(self, kind: Kind, name: str) -> str:
        """ARN of a resource by its name."""
        return arn(self.region, self.account, kind.resource, name)

    def add(self, kind: Kind, name: str, members: Mapping[str, Any]) -> Record:
        """Keep a new record with its ARN and creation time, and return it.

        Raises:
            ServiceError: there is one of this name.
        """
        record_arn = self.arn(kind, name)
        with self.lock:
            if record_arn in self._table(kind):
                raise self._error(kind.taken, record_arn)
            moment = now()
            record = {kind.name_member: name, **members, kind.arn_member: record_arn}
            record = {"CreationTime": moment, "LastModifiedTime": moment, **record}
            self._table(kind)[record_arn] = record
            return record

    def get(self, kind: Kind, name: str) -> Record:
        """A snapshot of the record of a resource, by name or ARN.

        Raises:
            ServiceError: there is none.
        """
        record_arn = self.arn(kind, name)
        with self.lock:
            if record_arn not in self._table(kind):
                raise self._error(kind.missing, record_arn)
            return dict(self._table(kind)[record_arn])

    def change(self, kind: Kind, name: str, **members: Any) -> Record:
        """Set members of a record (None removes one) and return a snapshot of it."""
        record_arn = self.arn(kind, name)
        with self.lock:
            self.get(kind, name)
            record = self._table(kind)[record_arn]
            record.update({"LastModifiedTime": now(), **members})
            return dict(record)

    def remove(self, kind: Kind, name: str) -> Record:
        """Forget a resource and its tags, and return its last record."""
        record_arn = self.arn(kind, name)
        with self.lock:
            self.get(kind, name)
            self.tags.pop(record_arn, None)
            return self._table(kind).pop(record_arn)

    def all(self, kind: Kind) -> list[Record]:
        """A snapshot of every record of a kind, the oldest first."""
        with self.lock:
            return [dict(record) for record in self._table(kind).values()]

    def knows(self, record_arn: str) -> bool:
        """Whether there is a resource with this ARN, in whichever case."""
        with self.lock:
            return any(record_arn.lower() in table for table in self._tables.values())

    def _table(self, kind: Kind) -> dict[str, Record]:
        return self._tables.setdefault(kind.noun, {})

    def _error(self, template: ServiceError, record_arn: str) -> ServiceError:
        message = template.message.format(arn=record_arn, name=name_of(record_arn))
        return ServiceError(template.code, message, template.status)
