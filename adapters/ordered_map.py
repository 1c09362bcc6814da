"""Several calls in flight, results in order."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from adapters.errors import OutOfTime

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    in_flight: int,
    remaining_seconds: Callable[[], float],
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
                yield _finished(pending, remaining_seconds())
        while pending:
            yield _finished(pending, remaining_seconds())
    finally:
        # What is still in flight reads only: nobody waits for it, the less so if it hangs.
        pool.shutdown(wait=False, cancel_futures=True)


def _finished(pending: deque[tuple[Item, Future[Result]]], seconds: float) -> tuple[Item, Result]:
    item, future = pending.popleft()
    if not wait([future], max(0.0, seconds)).done:
        raise OutOfTime("a call hangs, and the function's time is nearly up")
    return item, future.result()
