"""One command at a time; who comes second says so and waits until the first is gone, however it went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.kit import locks

HOLD = """
import sys
from pathlib import Path
from cli.kit import locks
with locks.one_at_a_time("deploy-local-1", lambda: None, Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path, root: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("end", ["well", "killed"])
def test_who_comes_second_waits_for_the_first(tmp_path: Path, other: subprocess.Popen[str], end: str) -> None:
    said: list[str] = []

    def on_wait() -> None:
        said.append("waiting")
        if end == "killed":
            os.kill(other.pid, signal.SIGKILL)
        else:
            assert other.stdin is not None
            other.stdin.close()

    with locks.one_at_a_time("deploy-local-1", on_wait, tmp_path):
        other.wait(10)
    assert said == ["waiting"]
    assert other.stdout is not None
    other.stdout.close()
    if other.stdin is not None:
        other.stdin.close()


def test_nobody_waits_for_another_environment(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    with locks.one_at_a_time("deploy-local-2", lambda: pytest.fail("it waits"), tmp_path):
        pass
    other.communicate("")
