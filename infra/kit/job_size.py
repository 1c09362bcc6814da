"""The instances of jobs, and the time they may take."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PROCESSING_SECONDS = 5 * 24 * 3600
"""SageMaker's limit on a processing job. A training job may run for 28 days."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """Instance, volume and time limits of each job."""

    instance_type: str
    volume_gib: int
    max_runtime_minutes: int
    spot_wait_minutes: int | None = None
    """None for instances on demand; else how long training jobs may wait for spot capacity besides."""

    @property
    def training_seconds(self) -> int:
        """After which a training job is stopped, of its running time."""
        return 60 * self.max_runtime_minutes

    @property
    def processing_seconds(self) -> int:
        """After which a processing job is stopped."""
        return min(self.training_seconds, MAX_PROCESSING_SECONDS)
