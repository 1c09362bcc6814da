"""The processes a cloud starts: each leads a group of its own, and none outlives the cloud."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from local.cloud.process import watchdog


class Children:
    """Implements `seam.ChildProcesses` with one watchdog process for all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[Any]] = set()
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        )

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        stdout: IO[bytes] | int | None = None,
        stderr: IO[bytes] | int | None = subprocess.STDOUT,
    ) -> subprocess.Popen[bytes]:
        """Start a process; see `seam.ChildProcesses.spawn`."""
        return self.popen(
            list(argv), env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )

    def popen(self, *args: Any, **options: Any) -> subprocess.Popen[Any]:
        """`subprocess.Popen` whose process leads its own group and dies with the cloud."""
        self.forget_ended()
        with self._lock:
            process: subprocess.Popen[Any] = subprocess.Popen(*args, **{**options, "start_new_session": True})
            self._running.add(process)
            self._tell("+", process)
        return process

    def stop(self, process: subprocess.Popen[bytes], grace: float = 2.0) -> int:
        """End a process and its group; see `seam.ChildProcesses.stop`."""
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        # What it started may have ignored SIGTERM, also when the process itself is gone.
        _signal_group(process, signal.SIGKILL)
        code = process.wait()
        self.forget_ended()
        return code

    def stop_all(self, grace: float = 2.0) -> None:
        """End every process that still runs, all at once."""
        with self._lock:
            running = list(self._running)
        for process in running:
            _signal_group(process, signal.SIGTERM)
        for process in running:
            self.stop(process, grace)

    def close(self) -> None:
        """End everything, the watchdog last."""
        self.stop_all()
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()
        self._watchdog.wait()

    def forget_ended(self) -> None:
        """Call it now and then: the system may give an ended process's number to a stranger."""
        with self._lock:
            for process in [process for process in self._running if process.poll() is not None]:
                self._running.remove(process)
                self._tell("-", process)

    def _tell(self, sign: str, process: subprocess.Popen[Any]) -> None:
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.write(f"{sign}{process.pid}\n".encode())
        self._watchdog.stdin.flush()


def _signal_group(process: subprocess.Popen[Any], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
