"""An approved model package is released only if its bytes are those that were evaluated."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.errors import NotFound, Transient
from adapters.ports import Bucket, Registry
from contract import artifact
from contract.names.live import Approved, Live
from contract.names.runs import Origin
from lambdas.verify_package.archive import unpack

log = logging.getLogger(__name__)

MAX_NAME = 63
"""SageMaker's limit on the names of models and endpoint configurations."""
_EXECUTION_DIGITS = 5

LINEAGE = (Origin.DATASET_VERSION, Origin.CODE_DIGEST)
"""The facts on which a package's metadata and its evaluation must agree."""


class PackageRefused(Exception):  # noqa: N818 - a verdict, not an error
    """The package must not be released; the message says why in a sentence."""


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """The dependencies of verification. `group` is the model package group of this environment's model."""

    registry: Registry
    artifacts: Bucket
    group: str


def verify_package(event: Mapping[str, str], verifier: Verifier) -> dict[str, str]:
    """Verify the package of `model_package_arn` and name what releases it in this `execution`.

    `approved_at` is when its approval's event says that it was approved.

    Raises:
        PackageRefused: it is not approved, not ours, or not what its evaluation measured.
        Transient: SageMaker does not tell of it, or not yet.
    """
    arn = event[Live.MODEL_PACKAGE_ARN]
    try:
        package = verifier.registry.describe(arn)
    except NotFound as error:
        # Of a package that was just registered SageMaker may not tell yet: the state machine asks again.
        raise Transient("DescribeModelPackage", "NotFound", f"{arn} is not there, or not yet") from error
    try:
        _check_registration(package, verifier.group)
        _check_bytes(package, verifier.artifacts)
    except (artifact.ArtifactError, NotFound) as error:
        raise PackageRefused(f"{arn} is not released: {error}") from error
    except PackageRefused as error:
        raise PackageRefused(f"{arn} is not released: {error}") from error
    version = package["ModelPackageVersion"]
    approval = approval_name(verifier.group, version, event[Live.APPROVED_AT])
    name = release_name(approval, event[Approved.EXECUTION])
    log.info("verified", extra={Live.MODEL_PACKAGE_ARN: arn, "release": name})
    return {
        Live.MODEL_PACKAGE_ARN: arn,
        Live.MODEL_VERSION: f"{verifier.group}/{version}",
        Live.APPROVED_AT: event[Live.APPROVED_AT],
        Approved.APPROVAL: approval,
        Live.MODEL_NAME: name,
        Approved.ENDPOINT_CONFIG_NAME: name,
    }


def approval_name(group: str, version: int, approved_at: str) -> str:
    """Return the beginning of the names of an approval's releases: those of later approvals sort later.

    `approved_at` is the ISO 8601 time of the approval's event, which is exact to the second; within
    one, the higher version is the later.

    Raises:
        ValueError: it is none.
    """
    seconds = int(datetime.fromisoformat(approved_at).timestamp())
    stamp = _base_36(seconds, 7) + _base_36(version % 36**3, 3)
    return group[: MAX_NAME - len(stamp) - _EXECUTION_DIGITS - 2].rstrip("-") + f"-{stamp}"


def release_name(approval: str, execution: str) -> str:
    """A name for the model and configuration of one release, the same at each retry of it."""
    return f"{approval}-{hashlib.sha256(execution.encode()).hexdigest()[:_EXECUTION_DIGITS]}"


def _base_36(number: int, width: int) -> str:
    """A number in digits that sort as it does."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits.append("0123456789abcdefghijklmnopqrstuvwxyz"[digit])
    return "".join(reversed(digits))


def _check_registration(package: Mapping[str, Any], group: str) -> None:
    if package.get("ModelPackageGroupName") != group:
        raise PackageRefused(f"it belongs to the group {package.get('ModelPackageGroupName')}, not {group}")
    status = package.get("ModelApprovalStatus")
    if status != "Approved":
        raise PackageRefused(f"its approval status is {status}, not Approved")


def _check_bytes(package: Mapping[str, Any], artifacts: Bucket) -> None:
    evaluation = _evaluation(package, artifacts)
    metadata = package.get("CustomerMetadataProperties", {})
    for fact in LINEAGE:
        if not evaluation.get(fact) or metadata.get(fact) != evaluation[fact]:
            raise PackageRefused(f"its metadata and its evaluation disagree on {fact}")
    if evaluation.get("passed") is not True:
        raise PackageRefused(f"its evaluation missed a gate: {evaluation.get('missed')}")
    with tempfile.TemporaryDirectory() as folder:
        with closing(artifacts.open(_key(_model_uri(package), artifacts)).stream) as stream:
            unpack(stream, Path(folder))
        digests = artifact.verify(Path(folder))
    if digests != evaluation.get("artifact"):
        raise PackageRefused("its artifact is not the one that was evaluated")


def _evaluation(package: Mapping[str, Any], artifacts: Bucket) -> Mapping[str, Any]:
    try:
        uri = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    except KeyError:
        raise PackageRefused("it names no evaluation (ModelMetrics.ModelQuality.Statistics)") from None
    try:
        evaluation = json.loads(artifacts.read(_key(uri, artifacts)))
    except ValueError as error:
        raise PackageRefused(f"its evaluation {uri} is not JSON") from error
    if not isinstance(evaluation, dict):
        raise PackageRefused(f"its evaluation {uri} is not a JSON object")
    return evaluation


def _model_uri(package: Mapping[str, Any]) -> str:
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1:
        raise PackageRefused(f"it has {len(containers)} containers, not one")
    container = containers[0]
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    uri = container.get("ModelDataUrl") or source.get("S3Uri")
    if not uri:
        raise PackageRefused("its container names no model data")
    return str(uri)


def _key(uri: str, artifacts: Bucket) -> str:
    parts = urlsplit(uri)
    if parts.scheme != "s3" or parts.netloc != artifacts.name:
        raise PackageRefused(f"{uri} does not lie in this environment's artifacts bucket {artifacts.name}")
    return parts.path.removeprefix("/")
