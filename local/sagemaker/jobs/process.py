"""One running container process: its log lines, its end, and being stopped from elsewhere."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.cloud.seam import ChildProcesses

GRACE_SECONDS = 120.0
"""What SageMaker gives a container between SIGTERM and SIGKILL."""


class JobProcess:
    """Runs at most one process. `stop` may come from any thread, also before it runs."""

    def __init__(self, children: ChildProcesses, on_line: Callable[[str], None]) -> None:
        self._children = children
        self._on_line = on_line
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped_because: str | None = None

    def run(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, timeout: float) -> int | None:
        """Run to the end and return the exit code; None if it was stopped before it began.

        After `timeout` seconds it is stopped because of "MaxRuntimeExceeded".
        """
        with self._lock:
            if self.stopped_because is not None:
                return None
            self._process = self._children.spawn(argv, env=env, cwd=cwd, stdout=subprocess.PIPE)
        process = self._process
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        timer = threading.Timer(timeout, self.stop, ["MaxRuntimeExceeded"])
        timer.daemon = True
        timer.start()
        process.wait()
        timer.cancel()
        self._children.stop(process)  # whatever it left behind would keep its log open
        reader.join()
        return process.returncode

    def stop(self, reason: str) -> None:
        """End the process, which gets `GRACE_SECONDS` to finish. Returns when it has ended."""
        with self._lock:
            self.stopped_because = self.stopped_because or reason
            process = self._process
        if process is not None:
            self._children.stop(process, GRACE_SECONDS)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._on_line(line.decode(errors="replace").rstrip("\r\n"))
