"""Several calls in flight, results in order; and calls tried again while there is time."""

from __future__ import annotations

import contextvars
import random
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from lambdas.adapters.errors import Transient

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], *, in_flight: int
) -> Generator[tuple[Item, Result]]:
    """Each item with its result, in the items' order, reading at most `in_flight` items ahead."""
    pending: deque[tuple[Item, Future[Result]]] = deque()
    with ThreadPoolExecutor(in_flight) as pool:
        try:
            for item in items:
                pending.append((item, pool.submit(contextvars.copy_context().run, function, item)))
                if len(pending) == in_flight:
                    yield _finished(pending)
            while pending:
                yield _finished(pending)
        finally:
            for _, future in pending:
                future.cancel()


def _finished(pending: deque[tuple[Item, Future[Result]]]) -> tuple[Item, Result]:
    item, future = pending.popleft()
    return item, future.result()


def persistently(
    call: Callable[[], Result],
    *,
    spare_seconds: Callable[[], float],
    attempts: int = 6,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Call until it succeeds, waiting longer after each transient error (seconds, full jitter).

    Raises:
        Transient: it still failed at the last attempt, or no time is left for another.
    """
    for attempt in range(1, attempts):
        try:
            return call()
        except Transient:
            pause = random.uniform(0, min(0.2 * 2**attempt, 5.0))  # noqa: S311 - spreads load, hides nothing
            if pause >= spare_seconds():
                raise
            sleep(pause)
    return call()
