"""The environment variables of stop_jobs."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """The environment and the model whose jobs are stopped."""

    environment: str
    model: str
