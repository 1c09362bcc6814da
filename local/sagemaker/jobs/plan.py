"""What a job does, whichever kind it is: files in, one process, files out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.sagemaker.state import Kind

Upload = Callable[[Any, Path], Mapping[str, Any]]
"""`(s3, base)`: moves a finished job's results to S3 and returns what its record learns of them."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """Objects under an S3 prefix, and the container path of the folder they come to."""

    uri: str
    path: str


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """One job to run. Paths are the container's, under /opt/ml."""

    kind: Kind
    name: str
    role_arn: str
    image: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    isolated: bool
    max_runtime: float
    """Seconds after which the process is stopped."""
    log_group: str
    documents: Mapping[str, Any]
    """JSON documents that SageMaker writes for the container, by path."""
    inputs: Sequence[Input]
    folders: Sequence[str]
    """Folders that exist before the process starts."""
    message_path: str
    """Where the process may say why it failed."""
    upload: Upload
    upload_of_failed: Upload | None = None
    """What is in S3 of a job that failed, for it was uploaded as it was written."""
    checkpoints: Input | None = None
    """A folder whose files are fetched before the process starts, and kept when it has ended, however."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Regular expressions by metric name: each finds a number in the job's log."""
