"""The environment variables of verify_package."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """The model whose packages are verified, and the bucket their artifacts must lie in."""

    environment: str
    model: str
    artifacts_bucket: str
