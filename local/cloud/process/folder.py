"""A cloud's folder: whose it is, and whether its cloud is alive."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from pathlib import Path

from local.cloud.process.root_key import KEY_NAME

LOCK_NAME, LOG_NAME = "cloud.lock", "cloud.log"
KEPT = (LOCK_NAME, LOG_NAME, KEY_NAME)
LOCK_SECONDS = 1.0
"""Longer than anybody who only asks with `is_locked` holds the lock for it."""


class CloudError(Exception):
    """The local cloud could not be started, found or stopped. The message says what to do."""


def claim(folder: Path) -> None:
    """Make it a cloud's folder. Raises CloudError when it holds things and was never one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()) and not (folder / LOCK_NAME).exists():
        raise CloudError(f"{folder} holds other things and would be emptied. Choose another: --folder DIR")
    (folder / LOCK_NAME).touch()


def empty(folder: Path) -> None:
    """Remove what an earlier cloud left. Only for whoever holds the folder's lock."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name not in KEPT:
            entry.unlink()


def lock(folder: Path) -> None:
    """Hold the folder's lock until this process is gone, which is how others know that it is.

    Raises CloudError when another process holds it.
    """
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise CloudError(f"a cloud already runs in {folder}. Choose another: --folder DIR") from error
            time.sleep(0.01)
        else:
            return


def is_locked(folder: Path) -> bool:
    """Whether a live process holds the lock: true exactly as long as the cloud's process exists."""
    try:
        with (folder / LOCK_NAME).open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
