"""Waiting for a condition in one place, so that nothing sleeps for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from cli.kit.errors import CliError

T = TypeVar("T")

POLL_SECONDS = 0.25


def wait_until(
    condition: Callable[[], T | None],
    *,
    timeout: float,
    what: str,
    seen: Callable[[], str] = lambda: "nothing yet",
    poll: float = POLL_SECONDS,
) -> T:
    """Ask `condition` every `poll` seconds until it returns something true, and return that.

    Raises:
        CliError: `timeout` seconds passed; it says what was awaited and what was last `seen`.
    """
    deadline = time.monotonic() + timeout
    while True:
        if result := condition():
            return result
        if time.monotonic() >= deadline:
            raise CliError(f"waited {timeout:g} s for {what}; last seen: {seen()}.")
        time.sleep(poll)
