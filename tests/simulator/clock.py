"""Time that passes only when somebody waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@dataclass
class Clock:
    """`now` in epoch seconds."""

    now: float = START

    def advance(self, seconds: float) -> None:
        self.now += max(0.0, seconds)

    def advance_to(self, moment: float) -> None:
        self.now = max(self.now, moment)
