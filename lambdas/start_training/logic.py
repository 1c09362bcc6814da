"""The objects under `training/` become a dataset version, and a run of the pipeline on it.

Everything written is named by what it holds: doing it twice, or in two places at once,
writes the same objects. The manifest is written last, so that a dataset version that has
one is whole; the claim after the start says that a run was started, for ever.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from adapters.errors import AlreadyExists, NotFound
from adapters.ports import Bucket, Catalogue, ObjectVersion, Pipeline
from contract import layout
from contract.documents.dataset import Manifest
from contract.failures import StartedBy
from contract.names.runs import Origin, Parameter
from lambdas.start_training.champion import Champions
from lambdas.start_training.debounce import Debounce, Record, uploaded
from lambdas.start_training.snapshot import NoTrainingData, pin

log = logging.getLogger(__name__)

JSON = "application/json"


class Run(NamedTuple):
    """A run that was started."""

    run_id: str
    execution_arn: str


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """The dependencies of starting a run. `contract` and `gates` are the documents of the deployed model."""

    data: Bucket
    artifacts: Bucket
    pipeline: Pipeline
    champions: Champions
    quiet: Debounce
    catalogue: Catalogue
    package_group: str
    code_digest: str
    contract: bytes
    gates: bytes

    @property
    def contract_prefix(self) -> str:
        """The prefix of the contract in the artifacts bucket."""
        return layout.contract_prefix(hashlib.sha256(self.contract).hexdigest())

    @property
    def gates_prefix(self) -> str:
        """The prefix of the gates in the artifacts bucket."""
        return layout.contract_prefix(hashlib.sha256(self.gates).hexdigest())


def handle(event: Mapping[str, Any], trainer: Trainer) -> dict[str, Any]:
    """Start a run for a batch of SQS records, or for `{"again": true, "started_by": "schedule"}`.

    Both are optional: without `started_by` it is a person who asks.

    Raises:
        NoTrainingData: asked by other than an upload, and there is nothing to train on.
        ValueError: `started_by` is no `StartedBy`.
    """
    if "Records" not in event:
        started_by = StartedBy(event.get("started_by", StartedBy.PERSON))
        return start_training(trainer, started_by=started_by, again=bool(event.get("again")))
    failed = _process(event["Records"], trainer)
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def _process(records: Sequence[Record], trainer: Trainer) -> Sequence[Record]:
    """Start a run for what these messages tell of, once one is due; the messages to deliver again."""
    try:
        if uploads := uploaded(trainer.data):
            left = trainer.quiet.longest(uploads, records, _last_run(trainer))
            if overdue := left <= 0:
                start_training(trainer, started_by=StartedBy.UPLOAD)
                left = math.inf  # the newest's message looks on for what appears late
            records = trainer.quiet.of_interest(records, uploads[-1])
            if not records:
                log.info("followed by a later upload", extra={"key": uploads[-1].key})
                return []
            if waiting := trainer.quiet.put_off(records, uploads[-1], left):
                return waiting
            if overdue:
                return []
        start_training(trainer, started_by=StartedBy.UPLOAD)
    except NoTrainingData:
        log.warning("nothing to train on: ignored")
        _keep_last_run(trainer, trainer.quiet.now())
    except Exception:
        log.exception("no run started: tried again later")
        return records
    return []


def start_training(trainer: Trainer, *, started_by: StartedBy, again: bool = False) -> dict[str, Any]:
    """Pin the dataset and start its run, unless this code ran on it already.

    `again` makes another run of the same dataset and code once the last has ended, unless they are
    a registered model by now: they would make the same one again.

    Raises:
        NoTrainingData: there is no table under `training/`.
    """
    listed_at = trainer.quiet.now()
    manifest = pin(trainer.data)
    version = manifest.version
    last, run_id = _runs(trainer, version)
    already_started = last is not None and (not again or trainer.pipeline.is_running(last.execution_arn))
    registered = _registered(trainer, version) if again and not already_started else ""
    execution_arn = ""
    if last is not None and already_started:
        run_id, execution_arn = last
    elif not registered:
        _write_dataset(trainer.data, manifest)
        execution_arn = _start(trainer, run_id, version, started_by)
    _keep_last_run(trainer, listed_at)
    run = {
        Origin.DATASET_VERSION: version,
        "run_id": run_id,
        "execution_arn": execution_arn,
        "already_started": already_started,
        "already_registered": registered,
    }
    log.info("run", extra=run)
    return run


def _runs(trainer: Trainer, version: str) -> tuple[Run | None, str]:
    """The last run of this code on a dataset, and the id of the next.

    A run's id names the one that it repeats. So however many ask for another at once, it is one.
    """
    made_by = (trainer.code_digest, trainer.contract_prefix, trainer.gates_prefix)
    last, run_id = None, layout.run_id(version, *made_by)
    while (execution_arn := _started(trainer, run_id)) is not None:
        last = Run(run_id, execution_arn)
        run_id = layout.run_id(version, *made_by, repeated=execution_arn)
    return last, run_id


def _registered(trainer: Trainer, version: str) -> str:
    artifacts = f"s3://{trainer.artifacts.name}"
    origin: dict[str, str] = {
        Origin.DATASET_VERSION: version,
        Origin.CODE_DIGEST: trainer.code_digest,
        Origin.CONTRACT_URI: f"{artifacts}/{trainer.contract_prefix}",
        Origin.GATES_URI: f"{artifacts}/{trainer.gates_prefix}",
    }
    return trainer.catalogue.made_of(trainer.package_group, origin)


def _write_dataset(data: Bucket, manifest: Manifest) -> None:
    version = manifest.version
    if data.exists(layout.manifest_key(version)):
        return
    for pinned in manifest.objects:
        source = ObjectVersion(key=pinned.key, version_id=pinned.version_id, size=pinned.size)
        data.copy(source, layout.dataset_data_prefix(version) + pinned.copy_name)
    _create(data, layout.manifest_key(version), manifest.to_json().encode())


def _start(trainer: Trainer, run_id: str, version: str, started_by: StartedBy) -> str:
    # At most once: SageMaker answers a repeated token with the run it started first.
    parameters = _parameters(trainer, run_id, version, started_by)
    execution_arn = trainer.pipeline.start(run_id, parameters)
    claim = {
        "execution_arn": execution_arn,
        Origin.DATASET_VERSION: version,
        Origin.CODE_DIGEST: trainer.code_digest,
    }
    _create(trainer.artifacts, layout.started_key(run_id), json.dumps(claim, indent=2).encode())
    return execution_arn


def _parameters(trainer: Trainer, run_id: str, version: str, started_by: StartedBy) -> Mapping[str, str]:
    """Return the run's parameters: decided once, since by a second try another model may be live."""
    _create(trainer.artifacts, trainer.contract_prefix + layout.CONTRACT_FILE, trainer.contract)
    _create(trainer.artifacts, trainer.gates_prefix + layout.GATES_FILE, trainer.gates)
    artifacts = f"s3://{trainer.artifacts.name}"
    parameters = {
        Parameter.DATASET_VERSION: version,
        Parameter.DATASET_URI: f"s3://{trainer.data.name}/{layout.dataset_data_prefix(version)}",
        Parameter.CONTRACT_URI: f"{artifacts}/{trainer.contract_prefix}",
        Parameter.GATES_URI: f"{artifacts}/{trainer.gates_prefix}",
        Parameter.CHAMPION_URI: f"{artifacts}/{trainer.champions.pin()}",
        Parameter.RUN_URI: f"{artifacts}/{layout.run_prefix(run_id).rstrip('/')}",
        Parameter.STARTED_BY: started_by,
    }
    _create(trainer.artifacts, layout.parameters_key(run_id), json.dumps(parameters, indent=2).encode())
    pinned: dict[str, str] = json.loads(trainer.artifacts.read(layout.parameters_key(run_id)))
    return pinned


def _started(trainer: Trainer, run_id: str) -> str | None:
    try:
        claim = json.loads(trainer.artifacts.read(layout.started_key(run_id)))
    except NotFound:
        return None
    return str(claim["execution_arn"])


def _last_run(trainer: Trainer) -> float:
    """Before when every upload is part of a run, in epoch seconds."""
    try:
        return float(json.loads(trainer.artifacts.read(layout.LAST_RUN_KEY))["uploaded_before"])
    except NotFound:
        return -math.inf


def _keep_last_run(trainer: Trainer, listed_at: float) -> None:
    # S3 tells times in whole seconds.
    body = json.dumps({"uploaded_before": math.floor(listed_at)}).encode()
    trainer.artifacts.replace(layout.LAST_RUN_KEY, body, JSON)


def _create(bucket: Bucket, key: str, body: bytes) -> None:
    try:
        bucket.create(key, body, JSON)
    except AlreadyExists:
        log.info("already written", extra={"key": key})
