"""The environment variables of reconcile_uploads."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.environ import FromEnviron, SettingsError


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """`after_seconds`, 1 at least, is the age at which every upload should have its outcome."""

    environment: str
    model: str
    data_bucket: str
    results_bucket: str
    artifacts_bucket: str
    queue_url: str
    batch_state_machine: str
    after_seconds: int

    def __post_init__(self) -> None:
        if self.after_seconds < 1:
            raise SettingsError(
                f"the environment variable AFTER_SECONDS is {self.after_seconds}, not 1 or more"
            )
