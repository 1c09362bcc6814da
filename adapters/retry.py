"""Calls tried again while there is time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from adapters.errors import OutOfTime, Transient

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Tries a call again after transient errors, ever more slowly, while there is time.

    `remaining_seconds` says how long that is. Pauses have full jitter: see "Exponential
    Backoff And Jitter" in the AWS Architecture Blog.
    """

    remaining_seconds: Callable[[], float]
    sleep: Callable[[float], None]
    attempts: int = 6
    first_pause: float = 0.4
    longest_pause: float = 5.0

    def __call__(self, call: Callable[[], Result]) -> Result:
        """Return the result of the call.

        Raises:
            Transient: it failed at each attempt, or no time is left for another.
            OutOfTime: there was no time for the first.
        """
        if self.remaining_seconds() <= 0:
            raise OutOfTime("the function's time is nearly up")
        for attempt in range(self.attempts - 1):
            try:
                return call()
            except Transient:
                longest = min(self.first_pause * 2**attempt, self.longest_pause)
                pause = random.uniform(0, longest)  # noqa: S311 - spreads load, hides nothing
                if pause >= self.remaining_seconds():
                    raise
                self.sleep(pause)
        return call()
