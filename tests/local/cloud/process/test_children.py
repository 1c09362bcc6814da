from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.cloud.process.children import Children

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
PARENT = f"""
import subprocess, sys
from pathlib import Path
from local.cloud.process.children import Children
child = Children().spawn([sys.executable, "-c", {STUBBORN!r}], env={{}}, cwd=Path("/"), stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def children() -> Iterator[Children]:
    started = Children()
    yield started
    started.close()


def spawn(children: Children, code: str, tmp_path: Path) -> subprocess.Popen[bytes]:
    process = children.spawn([sys.executable, "-c", code], env={}, cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
    return process


def test_a_process_that_ignores_sigterm_is_killed(children: Children, tmp_path: Path) -> None:
    process = spawn(children, STUBBORN, tmp_path)
    assert children.stop(process, grace=0.05) == -signal.SIGKILL


def test_what_a_process_started_ends_with_it(
    children: Children, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "open('grandchild', 'w').write(str(child.pid))\n"
        "print(1, flush=True)\n"
        "time.sleep(600)\n"
    )
    process = spawn(children, code, tmp_path)
    children.stop(process, grace=0.05)
    eventually(lambda: not is_running(int((tmp_path / "grandchild").read_text())))


def test_a_process_that_ended_is_only_reaped(children: Children, tmp_path: Path) -> None:
    process = spawn(children, "print(1); raise SystemExit(3)", tmp_path)
    process.wait()
    assert children.stop(process) == 3


def test_children_die_when_their_parent_is_killed(eventually: Callable[..., Any]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
    eventually(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    """Whether there is such a process, other than one that ended and waits to be reaped by init."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state.strip()) and not state.startswith("Z")
