"""The dataset versions of a model: what each holds, and which runs were started on it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cli.aws.session import Deployment
from cli.kit.errors import CliError, error_code
from contract.documents.dataset import Manifest
from contract.layout import DATASETS_PREFIX, RUNS_PREFIX, manifest_key, parameters_key, validation_key
from contract.names.outputs import Output
from contract.names.runs import Parameter

READERS = 8
"""Objects that are read at a time."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One dataset version. `rows` are those that `validate` counted, None where no run got so far."""

    version: str
    created: str
    manifest: Manifest
    runs: Sequence[str] = ()
    rows: int | None = None
    passed: bool | None = None
    """True if it passed validation; None where it was not validated."""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(each.size for each in self.manifest.objects)


def datasets(deployed: Deployment, *, limit: int) -> tuple[list[Dataset], int]:
    """The newest dataset versions, newest first, and how many older ones there are."""
    created = _created(deployed)
    newest = sorted(created, key=lambda version: created[version], reverse=True)
    runs = runs_by_dataset(deployed) if newest else {}
    with ThreadPoolExecutor(READERS) as pool:
        described = pool.map(
            lambda version: _described(deployed, version, created[version], runs.get(version, [])),
            newest[:limit],
        )
        return list(described), max(0, len(newest) - limit)


def dataset_version(deployed: Deployment, beginning: str) -> str:
    """The one dataset version that begins so.

    Raises:
        CliError: none does, or several do.
    """
    versions = _folders(deployed, deployed[Output.DATA_BUCKET], DATASETS_PREFIX, beginning)
    if not versions:
        raise CliError(f"no dataset version of {deployed.model} begins with {beginning}.")
    if len(versions) > 1:
        raise CliError(f"{len(versions)} dataset versions begin with {beginning}: give more of it.")
    return versions[0]


def manifest(deployed: Deployment, version: str) -> Manifest | None:
    """The files of a dataset version, or None where its manifest is missing."""
    body = _read(deployed, deployed[Output.DATA_BUCKET], manifest_key(version))
    return None if body is None else Manifest.from_json(body)


def runs_by_dataset(deployed: Deployment) -> Mapping[str, list[str]]:
    """The ids of the runs that were started on each dataset version."""
    bucket = deployed[Output.ARTIFACTS_BUCKET]
    runs = _folders(deployed, bucket, RUNS_PREFIX, "")
    with ThreadPoolExecutor(READERS) as pool:
        bodies = pool.map(lambda run: _read(deployed, bucket, parameters_key(run)), runs)
        by_dataset: dict[str, list[str]] = defaultdict(list)
        for run, body in zip(runs, bodies, strict=True):
            if body is not None:
                by_dataset[json.loads(body)[Parameter.DATASET_VERSION]].append(run)
    return by_dataset


def _described(deployed: Deployment, version: str, created: str, runs: list[str]) -> Dataset:
    # A later run takes the report from the cache: it lies with the first that validated this version.
    validated = next(filter(None, (_validation(deployed, run) for run in runs)), {})
    return Dataset(
        version=version,
        created=created,
        manifest=manifest(deployed, version) or Manifest(objects=()),
        runs=runs,
        rows=validated.get("rows"),
        passed=validated.get("passed"),
    )


def _validation(deployed: Deployment, run: str) -> dict[str, Any]:
    body = _read(deployed, deployed[Output.ARTIFACTS_BUCKET], validation_key(run))
    return {} if body is None else dict(json.loads(body))


def _created(deployed: Deployment) -> dict[str, str]:
    """Return the time at which each dataset version was pinned. One without a manifest is not whole."""
    pages = deployed.aws.s3.get_paginator("list_objects_v2").paginate(
        Bucket=deployed[Output.DATA_BUCKET], Prefix=DATASETS_PREFIX
    )
    objects = ((each["Key"], each["LastModified"]) for page in pages for each in page.get("Contents", []))
    versions = ((key.removeprefix(DATASETS_PREFIX).partition("/")[0], key, when) for key, when in objects)
    return {
        version: f"{when:%Y-%m-%d %H:%M:%S}"
        for version, key, when in versions
        if key == manifest_key(version)
    }


def _folders(deployed: Deployment, bucket: str, prefix: str, beginning: str) -> list[str]:
    pages = deployed.aws.s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix + beginning, Delimiter="/"
    )
    prefixes = (each["Prefix"] for page in pages for each in page.get("CommonPrefixes", []))
    return [each.removeprefix(prefix).rstrip("/") for each in prefixes]


def _read(deployed: Deployment, bucket: str, key: str) -> bytes | None:
    try:
        return deployed.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise
