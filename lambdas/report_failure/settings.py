"""The environment variables of report_failure."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """Whose runs are reported: the names under which their failures are counted."""

    environment: str
    model: str
