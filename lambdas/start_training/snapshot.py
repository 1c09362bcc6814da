"""The objects that are under `training/` now, as a dataset version."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from adapters.ports import Bucket, ObjectVersion
from contract import layout
from contract.artifact import sha256
from contract.documents.dataset import Manifest, PinnedObject
from contract.reasons import Unscorable
from tabular.formats.detection import claim_of

log = logging.getLogger(__name__)

READERS = 4
"""Uploads whose digests are computed at a time."""
HIDDEN = (".", "_")
"""The beginnings of names that Spark, Hive and Athena skip as well, such as `_SUCCESS`."""


class NoTrainingData(Exception):  # noqa: N818 - it names what is the case
    """Nothing under `training/` can be trained on."""


def pin(data: Bucket) -> Manifest:
    """The tables that lie under `training/` now, at their versions, with their digests.

    Raises:
        NoTrainingData: there are none.
    """
    tables = [v for v in data.current_versions(layout.TRAINING_PREFIX) if _is_table(v)]
    if not tables:
        raise NoTrainingData(
            f"no table lies under s3://{data.name}/{layout.TRAINING_PREFIX}: upload one there, "
            "as CSV, JSON Lines or Parquet"
        )
    with ThreadPoolExecutor(READERS) as pool:
        return Manifest.of(pool.map(lambda version: _pinned(data, version), tables))


def _is_table(version: ObjectVersion) -> bool:
    name = version.key.rsplit("/", 1)[-1]
    if not name or name.startswith(HIDDEN):
        return False
    try:
        claim_of(version.key)
    except Unscorable as why:
        log.error("not trained on: %s", why.message, extra={"key": version.key})
        return False
    return True


def _pinned(data: Bucket, version: ObjectVersion) -> PinnedObject:
    with closing(data.open(version.key, version.version_id).stream) as stream:
        digest = sha256(stream)
    return PinnedObject(key=version.key, version_id=version.version_id, sha256=digest, size=version.size)
