"""What one command does at a time on this machine."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.kit.paths import STATE

LOCKS = STATE / "locks"
POLL_SECONDS = 0.2


@contextmanager
def one_at_a_time(name: str, on_wait: Callable[[], None], folder: Path = LOCKS) -> Iterator[None]:
    """Hold the lock of a name; who comes second says so once, by `on_wait`, and waits.

    The lock is the process's: it is free when the process is gone, however it went.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        waited = False
        while not _taken(file.fileno()):
            if not waited:
                on_wait()
                waited = True
            time.sleep(POLL_SECONDS)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
