"""`environments.toml`: where the loop runs, how large it is and who is paged."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from contract.names.image import CONTEXT
from infra.settings.toml import Problem, SettingsError, SettingsTable, read, suggestion, validate

FILE = "environments.toml"
NAME = r"[a-z][a-z0-9]{0,11}"

ECR_IMAGE = (
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<repository>[a-z0-9._/-]+)(?P<reference>:[\w.-]+|@sha256:[0-9a-f]{64})$"
)

MAX_LOOKS = (25_000 - 1_000) // 9
"""Step Functions ends an execution at its 25,000th event. A look at a job or an endpoint is nine: a wait,
a call and a choice, each with its beginning and end. The rest of an execution has fewer than a thousand."""

_TAG = re.compile(r"[\w .:/=+\-@]*")

Instance = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]


class TrainingSettings(SettingsTable):
    instance_type: Instance = "ml.m5.xlarge"
    volume_gib: int = Field(default=30, ge=1, le=16384)
    max_runtime_minutes: int = Field(default=60, ge=1, le=28 * 24 * 60)
    spot_wait_minutes: int | None = Field(default=None, ge=1, le=28 * 24 * 60)
    start_timeout_seconds: int = Field(default=300, ge=10, le=900)
    quiet_seconds: int = Field(default=300, ge=0, le=10 * 3600)  # SQS hides a message for 12 h at most
    longest_wait_seconds: int = Field(default=6 * 3600, ge=0, le=7 * 24 * 3600)


class ServingSettings(SettingsTable):
    instance_type: Instance = "ml.m5.large"
    min_instances: int = Field(default=2, ge=1, le=100)
    max_instances: int = Field(default=4, ge=1, le=100)
    scale_out_seconds: int = Field(default=60, ge=0, le=3600)
    scale_in_seconds: int = Field(default=300, ge=0, le=3600)
    serverless_memory_mib: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    serverless_max_concurrency: int = Field(default=10, ge=1, le=200)


class ReleaseSettings(SettingsTable):
    poll_seconds: int = Field(default=30, ge=1, le=300)
    timeout_minutes: int = Field(default=60, ge=1, le=24 * 60)


class ScoringSettings(SettingsTable):
    max_upload_mib: int = Field(default=64, ge=1, le=1024)
    max_concurrency: int = Field(default=10, ge=2, le=1000)
    max_receives: int = Field(default=8, ge=1, le=1000)
    retry_seconds: int = Field(default=30, ge=1, le=900)
    timeout_seconds: int = Field(default=600, ge=10, le=900)
    memory_mib: int = Field(default=1024, ge=128, le=10240)


class BatchSettings(SettingsTable):
    instance_type: Instance = "ml.m5.large"
    instances: int = Field(default=1, ge=1, le=100)
    concurrency: int = Field(default=4, ge=1, le=14)
    rounds: int = Field(default=3, ge=1, le=9)
    volume_gib: int = Field(default=100, ge=1, le=16384)
    poll_seconds: int = Field(default=30, ge=1, le=300)
    timeout_minutes: int = Field(default=12 * 60, ge=1, le=5 * 24 * 60)
    kept_days: int = Field(default=15, ge=15)


class ReconciliationSettings(SettingsTable):
    every_minutes: int = Field(default=15, ge=1, le=24 * 60)
    after_minutes: int = Field(default=60, ge=1, le=24 * 60)


class MonitoringSettings(SettingsTable):
    every_minutes: int = Field(default=60, ge=1, le=24 * 60)
    instance_type: Instance = "ml.m5.large"
    volume_gib: int = Field(default=30, ge=1, le=16384)
    poll_seconds: int = Field(default=30, ge=1, le=300)
    timeout_minutes: int = Field(default=6 * 60, ge=1, le=5 * 24 * 60)


class PagingSettings(SettingsTable):
    emails: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]] = Field(default_factory=list)
    https: list[Annotated[str, Field(pattern=r"^https://\S+$")]] = Field(default_factory=list)
    inbox: bool = False


class AlarmSettings(SettingsTable):
    period_seconds: Literal[10, 30, 60, 120, 180, 240, 300] = 60
    rejected_row_percent: float = Field(default=5.0, ge=0, lt=100)
    unseen_category_percent: float = Field(default=50.0, ge=0, le=100)
    oldest_message_seconds: int = Field(default=900, ge=1)
    p99_latency_ms: int = Field(default=1000, ge=1)


class RetentionSettings(SettingsTable):
    log_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653] = 90
    result_days: int | None = Field(default=None, ge=15)
    captured_days: int = Field(default=90, ge=1)
    noncurrent_days: int = Field(default=90, ge=15)  # SQS keeps the message of a version for 14 days


class EnvironmentSettings(SettingsTable):
    """A validated table of `environments.toml`."""

    account: str = Field(pattern=r"^\d{12}$")
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    approval: Literal["automatic", "manual"]
    image_uri: str | None = Field(default=None, pattern=ECR_IMAGE)
    repository: str = Field(default="https://github.com/millrace/millrace", pattern=r"^https://\S+[^/]$")
    protected: bool = False
    tags: dict[str, str] = Field(default_factory=dict)
    training: TrainingSettings = TrainingSettings()
    serving: ServingSettings = ServingSettings()
    release: ReleaseSettings = ReleaseSettings()
    scoring: ScoringSettings = ScoringSettings()
    batch: BatchSettings = BatchSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    paging: PagingSettings = PagingSettings()
    alarms: AlarmSettings = AlarmSettings()
    retention: RetentionSettings = RetentionSettings()

    def contradictions(self) -> Iterator[Problem]:
        if not (self.paging.emails or self.paging.https or self.paging.inbox):
            yield Problem.at("paging", found=None, allowed="someone to page: emails, https, or inbox = true")
        if self.training.longest_wait_seconds < self.training.quiet_seconds:
            yield Problem.at(
                "training",
                "longest_wait_seconds",
                found=self.training.longest_wait_seconds,
                allowed=f"at least quiet_seconds, which is {self.training.quiet_seconds}",
            )
        if self.serving.max_instances < self.serving.min_instances:
            allowed = f"at least min_instances, which is {self.serving.min_instances}"
            yield Problem.at("serving", "max_instances", found=self.serving.max_instances, allowed=allowed)
        yield from _looks("release", self.release)
        yield from _looks("batch", self.batch)
        yield from _looks("monitoring", self.monitoring)
        yield from _tags(self.tags)


def _looks(table: str, settings: ReleaseSettings | BatchSettings | MonitoringSettings) -> Iterator[Problem]:
    least = math.ceil(settings.timeout_minutes * 60 / MAX_LOOKS)
    if settings.poll_seconds < least:
        allowed = (
            f"at least {least} beside timeout_minutes = {settings.timeout_minutes}: "
            "Step Functions ends an execution at its 25,000th event"
        )
        yield Problem.at(table, "poll_seconds", found=settings.poll_seconds, allowed=allowed)


def _tags(tags: Mapping[str, str]) -> Iterator[Problem]:
    for key, value in tags.items():
        if not (0 < len(key) <= 128 and _TAG.fullmatch(key)) or key.lower().startswith("aws:"):
            allowed = "up to 128 letters, digits, spaces and _.:/=+-@, not beginning with aws:"
            yield Problem.at("tags", key, found=key, allowed=allowed)
        if len(value) > 256 or not _TAG.fullmatch(value):
            allowed = "up to 256 letters, digits, spaces and _.:/=+-@"
            yield Problem.at("tags", key, found=value, allowed=allowed)


def load_environment(root: Path, name: str, *, image_uri: str | None = None) -> EnvironmentSettings:
    """Read one table of `environments.toml` in a root folder; an `image_uri` replaces the table's.

    Raises:
        SettingsError: there is no such environment, or its table does not fit.
    """
    path = root / FILE
    document = read(path, root)
    if name not in document or not re.fullmatch(NAME, name):
        raise SettingsError(
            f'there is no environment "{name}"{suggestion(name, document)}; found in {FILE}: '
            f"{', '.join(document) or 'none'}. Choose one with --environment NAME "
            f"(of cdk: -c environment=NAME), or add a table [{name}]"
        )
    settings = validate(EnvironmentSettings, document[name], path=path.relative_to(root), within=(name,))
    if image_uri is None:
        return settings
    table = {**document[name], CONTEXT: image_uri}
    return validate(EnvironmentSettings, table, path=Path(f"-c {CONTEXT}"))
