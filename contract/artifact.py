"""The model artifact: which files `model.tar.gz` holds, and the digests that seal them."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract.threshold import DEFAULT

ARCHIVE = "model.tar.gz"
"""The artifact, packed by SageMaker from the folder that a training job fills."""
MODEL = "model.onnx"
CONTRACT = "contract.json"
BASELINE = "baseline.json"
FACTS = "model.json"
DIGESTS = "digests.json"

SEALED = (MODEL, CONTRACT, BASELINE, FACTS)
"""The files `digests.json` answers for. An artifact holds these, it, `OPTIONAL` ones, and nothing else."""
OUT_OF_FOLD = "out_of_fold.npz"
"""Of a model that is fitted to all rows: what models that had not seen them predicted of each."""
OPTIONAL = (OUT_OF_FOLD,)
"""Sealed, too, where an artifact has them."""


class ArtifactError(ValueError):
    """An artifact lacks a file, has one too many, or its bytes are not what was sealed."""


def threshold(facts: Mapping[str, Any]) -> float:
    """The probability from which on a row is predicted positive, of what `FACTS` holds."""
    # Models that are live may be older than the choice, and had no other.
    chosen = facts.get("threshold") or {"value": DEFAULT}
    return float(chosen["value"])


def sha256(stream: io.BufferedIOBase) -> str:
    """SHA-256 of a stream's bytes, hexadecimal, in bounded memory."""
    return hashlib.file_digest(stream, "sha256").hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each sealed file in a folder.

    Raises:
        ArtifactError: the folder's files are not exactly those of an artifact.
    """
    names = {path.name for path in folder.iterdir()} - {DIGESTS}
    if names - set(OPTIONAL) != set(SEALED):
        raise ArtifactError(f"an artifact holds {sorted(SEALED)}; found {sorted(names)}")
    result = {}
    for name in (*SEALED, *(name for name in OPTIONAL if name in names)):
        with (folder / name).open("rb") as stream:
            result[name] = sha256(stream)
    return result


def seal(folder: Path) -> dict[str, str]:
    """Write `digests.json` for the files of an artifact and return what it says."""
    result = digests(folder)
    (folder / DIGESTS).write_text(json.dumps(result, indent=2, sort_keys=True) + "\n")
    return result


def verify(folder: Path) -> dict[str, str]:
    """Check a folder against its `digests.json` and return what it says.

    Raises:
        ArtifactError: a file is missing, added or altered.
    """
    try:
        sealed = json.loads((folder / DIGESTS).read_text())
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{DIGESTS} cannot be read: {error}") from error
    actual = digests(folder)
    altered = sorted(name for name in {*sealed, *actual} if sealed.get(name) != actual.get(name))
    if altered:
        raise ArtifactError(f"altered since it was sealed: {', '.join(altered)}")
    return actual
