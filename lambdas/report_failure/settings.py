"""The environment variables of report_failure."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """The environment and model under which failures are counted."""

    environment: str
    model: str
