"""Threads that take turns: one runs at a time, in an order drawn from the seed, when somebody waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from functools import partial
from random import Random
from typing import Any, NamedTuple


class Task(Future[Any]):
    """A call that is made at the latest when its result is asked for."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    def result(self, timeout: float | None = None) -> Any:
        self.end()
        return super().result(timeout)

    def end(self) -> None:
        """Let threads run until this one is through."""
        while not self.done():
            self._pool.run_one()


class Pool(Executor):
    """In place of a ThreadPoolExecutor, whose threads would meet in another order at each run."""

    def __init__(self, workers: int, *, random: Random) -> None:
        self._workers, self._random = workers, random
        self._waiting: list[tuple[Task, Callable[[], Any]]] = []

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Task:
        task = Task(self)
        self._waiting.append((task, partial(function, *args, **kwargs)))
        return task

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self._waiting.clear()
        while wait and self._waiting:
            self.run_one()

    def run_one(self) -> None:
        """Threads take calls up in their order; which of those taken up is made first is chance."""
        task, call = self._waiting.pop(self._random.randrange(min(self._workers, len(self._waiting))))
        if not task.set_running_or_notify_cancel():
            return
        try:
            task.set_result(call())
        except BaseException as error:
            task.set_exception(error)


class Waited(NamedTuple):
    """What `concurrent.futures.wait` gives."""

    done: set[Task]
    not_done: set[Task]


def wait(tasks: Iterable[Task], timeout: float | None = None) -> Waited:
    """In place of `concurrent.futures.wait`."""
    waited = set(tasks)
    for task in waited:
        task.end()
    return Waited(waited, set())
