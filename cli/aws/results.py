"""The outcome of an upload to score: its one result object."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cli.aws.session import Deployment
from cli.aws.waiting import wait_until
from cli.kit.errors import error_code
from contract.layout import SCORE_PREFIX, scored_key, unscorable_key
from contract.names.outputs import Output

OUTCOME_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One version of one object under `score/`."""

    key: str
    version_id: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of an upload: `rows` if it was scored, else the document that says why not."""

    key: str
    rows: list[dict[str, str]] | None = None
    unscorable: dict[str, Any] | None = None


def upload_to_score(deployed: Deployment, file: Path) -> Upload:
    """Upload a file to `score/` under its own name."""
    key = SCORE_PREFIX + file.name
    response = deployed.aws.s3.put_object(
        Bucket=deployed[Output.DATA_BUCKET], Key=key, Body=file.read_bytes()
    )
    return Upload(key=key, version_id=response["VersionId"])


def wait_for_outcome(deployed: Deployment, upload: Upload) -> Outcome:
    """Wait until an upload's result is there.

    Raises:
        CliError: it is not in time.
    """
    return wait_until(
        lambda: _outcome(deployed, upload),
        timeout=OUTCOME_TIMEOUT_SECONDS,
        what=f"the result of {upload.key}",
        seen=lambda: "neither scored/ nor unscorable/ has it: see ./millrace logs score",
    )


def _outcome(deployed: Deployment, upload: Upload) -> Outcome | None:
    scored = scored_key(upload.key, upload.version_id)
    if (body := _read(deployed, scored)) is not None:
        return Outcome(key=scored, rows=list(csv.DictReader(io.StringIO(body.decode(), newline=""))))
    unscorable = unscorable_key(upload.key, upload.version_id)
    if (body := _read(deployed, unscorable)) is not None:
        return Outcome(key=unscorable, unscorable=json.loads(body))
    return None


def _read(deployed: Deployment, key: str) -> bytes | None:
    try:
        return deployed.aws.s3.get_object(Bucket=deployed[Output.RESULTS_BUCKET], Key=key)["Body"].read()
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise
