"""Several calls in flight, results in order; and calls tried again while there is time."""

from __future__ import annotations

import contextvars
import random
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from adapters.errors import Transient
from scoring.upload.errors import OutOfTime

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    in_flight: int,
    spare_seconds: Callable[[], float],
) -> Generator[tuple[Item, Result]]:
    """Each item with its result, in the items' order, reading at most `in_flight` items ahead.

    Raises:
        OutOfTime: no time is left to wait for a result.
    """
    pending: deque[tuple[Item, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(in_flight)
    try:
        for item in items:
            pending.append((item, pool.submit(contextvars.copy_context().run, function, item)))
            if len(pending) == in_flight:
                yield _finished(pending, spare_seconds())
        while pending:
            yield _finished(pending, spare_seconds())
    finally:
        # What is still in flight reads only: nobody waits for it, the less so if it hangs.
        pool.shutdown(wait=False, cancel_futures=True)


def _finished(pending: deque[tuple[Item, Future[Result]]], seconds: float) -> tuple[Item, Result]:
    item, future = pending.popleft()
    if not wait([future], max(0.0, seconds)).done:
        raise OutOfTime("a call hangs, and the function's time is nearly up")
    return item, future.result()


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Tries a call again after transient errors, ever more slowly, while there is time.

    `spare_seconds` says how long that is. Pauses have full jitter: see "Exponential
    Backoff And Jitter" in the AWS Architecture Blog.
    """

    spare_seconds: Callable[[], float]
    sleep: Callable[[float], None]
    attempts: int = 6
    first_pause: float = 0.4
    longest_pause: float = 5.0

    def __call__(self, call: Callable[[], Result]) -> Result:
        """What the call gives.

        Raises:
            Transient: it failed at each attempt, or no time is left for another.
            OutOfTime: there was no time for the first.
        """
        if self.spare_seconds() <= 0:
            raise OutOfTime("the function's time is nearly up")
        for attempt in range(self.attempts - 1):
            try:
                return call()
            except Transient:
                longest = min(self.first_pause * 2**attempt, self.longest_pause)
                pause = random.uniform(0, longest)  # noqa: S311 - spreads load, hides nothing
                if pause >= self.spare_seconds():
                    raise
                self.sleep(pause)
        return call()
