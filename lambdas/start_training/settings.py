"""The environment variables of start_training."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """`pipeline` is the training pipeline's name; `code_digest` names the code it runs."""

    environment: str
    model: str
    data_bucket: str
    artifacts_bucket: str
    pipeline: str
    code_digest: str
    queue_url: str
    quiet_seconds: int
    longest_wait_seconds: int
