"""The environment variables of score_upload."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """`retry_seconds` is the first delay of a failed message; each further one doubles it."""

    environment: str
    model: str
    results_bucket: str
    endpoint: str
    queue_url: str
    max_upload_bytes: int
    retry_seconds: int
