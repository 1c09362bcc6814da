"""Putting files where the loop picks them up."""

from __future__ import annotations

import hashlib
from pathlib import Path

from botocore.exceptions import ClientError

from cli.aws.session import Deployment
from cli.kit.errors import CliError, error_code
from contract.layout import TRAINING_PREFIX
from contract.names.outputs import Output
from contract.reasons import Unscorable
from tabular.formats.detection import claim_of

DIGEST = "sha256"
"""Metadata of an upload, by which the same file is known when it comes again."""


def upload_training(deployed: Deployment, file: Path) -> bool:
    """Upload a table to `training/` under its own name; False where these very bytes lie there.

    Uploading them again would make a new version of the object, and so of the dataset.

    Raises:
        CliError: it cannot be read, is empty, or its name says that it is no table.
    """
    try:
        claim_of(file.name)
    except Unscorable as why:
        raise CliError(f"{file}: {why.message}") from why
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}.") from error
    if not file.stat().st_size:
        raise CliError(f"{file} is empty: there is nothing to train on in it.")
    bucket, key = deployed[Output.DATA_BUCKET], TRAINING_PREFIX + file.name
    if _digest(deployed, bucket, key) == digest:
        return False
    deployed.aws.s3.upload_file(str(file), bucket, key, ExtraArgs={"Metadata": {DIGEST: digest}})
    return True


def _digest(deployed: Deployment, bucket: str, key: str) -> str | None:
    try:
        return deployed.aws.s3.head_object(Bucket=bucket, Key=key)["Metadata"].get(DIGEST)
    except ClientError as error:
        if error_code(error) == "404":
            return None
        raise
