"""Ends a cloud's processes when the cloud is gone, however it went: SIGKILL and power button included.

The cloud holds the other end of this process's standard input and writes `+PGID` when it starts a
process group and `-PGID` when one is over. The end of that input is the end of the cloud.
This file runs by itself (`python -I -S`), on Linux and macOS alike, and imports nothing of the project.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_SECONDS = 1.0


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(group)
    _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while groups and time.monotonic() < deadline:
        groups = _signal(groups, 0)
        time.sleep(0.02)
    _signal(groups, signal.SIGKILL)


def _signal(groups: set[int], number: int) -> set[int]:
    """Send it to each group; the groups that are still there."""
    alive = set()
    for group in groups:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            continue
        alive.add(group)
    return alive


if __name__ == "__main__":
    main()
