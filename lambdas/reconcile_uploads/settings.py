"""The environment variables of reconcile_uploads."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """`after_seconds` is the age at which every upload should have its outcome."""

    environment: str
    model: str
    data_bucket: str
    results_bucket: str
    artifacts_bucket: str
    queue_url: str
    after_seconds: int
