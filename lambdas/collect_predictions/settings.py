"""The environment variables of collect_predictions."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """The bucket that the monitor reads its inbox in."""

    environment: str
    model: str
    artifacts_bucket: str
