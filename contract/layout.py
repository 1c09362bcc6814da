"""Keys and prefixes in the buckets, and the names of resources."""

from __future__ import annotations

import hashlib

from contract.names.batch import UPLOAD_FILE
from contract.names.jobs import VALIDATION_FILE, Folder, Job

SCORE_PREFIX = "score/"
TRAINING_PREFIX = "training/"
DATASETS_PREFIX = "datasets/"

SCORED_PREFIX = "scored/"
UNSCORABLE_PREFIX = "unscorable/"

RUNS_PREFIX = "runs/"
LAST_RUN_KEY = "runs/last.json"
"""In the artifacts bucket: before when each upload is part of a run, so that later ones are known to wait."""
CONTRACTS_PREFIX = "contracts/"
CHAMPIONS_PREFIX = "champions/"
"""In the artifacts bucket: what runs are started with. It is named by what it is, never by the run, so
that a step of a later run whose inputs are the same has the same arguments."""
CHECKPOINTS_PREFIX = "checkpoints/"
"""In the artifacts bucket: what training jobs on spot instances have done, by dataset version and code."""
CHECKPOINTS_KEPT_DAYS = 30
"""The longest that a training job may take, and a little more."""
VALIDATION_PLACE = f"{Job.VALIDATE}/{Folder.REPORT}"
EVALUATION_PLACE = f"{Job.EVALUATE}/{Folder.EVALUATION}"
"""Under a run's prefix: what those jobs leave."""
NOBODY = "nobody"
CONTRACT_FILE = "contract.json"
GATES_FILE = "gates.json"
CHAMPION_FILE = "champion.json"
CAPTURED_PREFIX = "captured/"
"""In the artifacts bucket: what clients asked of the endpoint and were answered, as SageMaker captures it."""
RECONCILIATION_KEY = "reconciliation/progress.json"
"""Key in the artifacts bucket of how far the search for uploads without an outcome has come."""

BATCH_PREFIX = "batch/"
"""Prefix in the artifacts bucket of what is kept while uploads are scored by the batch path."""

MAX_KEY_BYTES = 1024
"""S3's limit on a key, in bytes of UTF-8."""
EXTENSION_ROOM = 16
"""Kept free in every result's key, so that all of it but the extension is known beforehand."""


def scored_key(upload_key: str, version_id: str, extension: str = "csv") -> str:
    """Key in the results bucket of the one object that commits a scored upload."""
    return scored_stem(upload_key, version_id) + extension


def scored_stem(upload_key: str, version_id: str) -> str:
    """Return the beginning of the key of an upload's scored object, up to the dot before its extension."""
    return _result_stem(SCORED_PREFIX, upload_key, version_id)


def unscorable_key(upload_key: str, version_id: str) -> str:
    """Key in the results bucket of the document that says why an upload was not scored."""
    return _result_stem(UNSCORABLE_PREFIX, upload_key, version_id) + "json"


def _result_stem(prefix: str, upload_key: str, version_id: str) -> str:
    name, suffix = upload_key.removeprefix(SCORE_PREFIX), f"/{version_id}."
    room = MAX_KEY_BYTES - len(prefix) - len(suffix) - EXTENSION_ROOM
    encoded = name.encode()
    if len(encoded) > room:
        # The digest keeps two long keys with a common beginning apart.
        mark = "~" + hashlib.sha256(encoded).hexdigest()[:16]
        name = encoded[: room - len(mark)].decode(errors="ignore") + mark
    return prefix + name + suffix


def dataset_prefix(dataset_version: str) -> str:
    """Prefix in the data bucket of one immutable dataset version."""
    return f"{DATASETS_PREFIX}{dataset_version}/"


def manifest_key(dataset_version: str) -> str:
    """Key in the data bucket of a dataset version's manifest."""
    return dataset_prefix(dataset_version) + "manifest.json"


def dataset_data_prefix(dataset_version: str) -> str:
    """Prefix in the data bucket under which the pinned copies of a dataset's files lie."""
    return dataset_prefix(dataset_version) + "data/"


def run_prefix(run_id: str) -> str:
    """Prefix in the artifacts bucket of everything one training run wrote."""
    return f"{RUNS_PREFIX}{run_id}/"


def contract_prefix(digest: str) -> str:
    """Prefix in the artifacts bucket of the one contract that has this digest, or the gates that have."""
    return f"{CONTRACTS_PREFIX}{digest}/"


def champion_prefix(model_package_arn: str, artifact_uri: str) -> str:
    """Prefix in the artifacts bucket of a live model that runs are compared with. No package: of nobody."""
    name = hashlib.sha256(f"{model_package_arn}\n{artifact_uri}".encode()).hexdigest()[:32]
    return f"{CHAMPIONS_PREFIX}{name if model_package_arn else NOBODY}/"


def parameters_key(run_id: str) -> str:
    """Key in the artifacts bucket of the parameters that a run is started with, whoever starts it."""
    return run_prefix(run_id) + "parameters.json"


def validation_key(run_id: str) -> str:
    """Key in the artifacts bucket of what a run's `validate` reported: none, if that came from the cache."""
    return run_prefix(run_id) + f"{VALIDATION_PLACE}/{VALIDATION_FILE}"


def started_key(run_id: str) -> str:
    """Key in the artifacts bucket of the claim that a run was started."""
    return run_prefix(run_id) + "started.json"


def run_id(dataset_version: str, *made_by: str, repeated: str = "") -> str:
    """Name of the one run on a dataset of what it is made by, or of the one that repeats an execution."""
    return hashlib.sha256("/".join((dataset_version, *made_by, repeated)).encode()).hexdigest()[:32]


def live_parameter(environment: str, model: str) -> str:
    """Name of the SSM parameter that says which model version is live."""
    return f"/millrace/{environment}/{model}/live"


def resource_name(environment: str, model: str) -> str:
    """Name of a model's endpoint, pipeline and model package group in an environment."""
    return f"millrace-{environment}-{model}"


EXISTING = "existing"
"""The value of the CDK app's context `package_group`, for a group that an earlier storage stack left."""


def batch_id(upload_key: str, version_id: str) -> str:
    """Name of an upload's first execution by the batch path: the same at each delivery of its event."""
    return hashlib.sha256(f"{version_id}/{upload_key}".encode()).hexdigest()[:32]


def batch_of(execution: str) -> str:
    """The batch of an execution, which is named after it and, but for the first, its attempt."""
    return execution.partition("-")[0]


def batch_execution(batch: str, attempt: int) -> str:
    """Name of a further execution of a batch."""
    return f"{batch}-{attempt}"


def batch_upload_key(batch: str) -> str:
    """Key in the artifacts bucket of the document that says which upload a batch scores."""
    return f"{BATCH_PREFIX}{batch}/{UPLOAD_FILE}"
