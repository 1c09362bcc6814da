"""The peak memory and the time of a process and of everything it starts, as Linux counts them."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROC = Path("/proc")
SAMPLE_SECONDS = 0.1


class Peaks:
    """Of each kind of process the greatest resident size in bytes, and the time on a processor in seconds."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._peaks: dict[str, int] = {}
        self._ticks: dict[tuple[str, str], int] = {}
        self._before = dict(self._worked())

    @property
    def bytes(self) -> Mapping[str, int]:
        return dict(sorted(self._peaks.items()))

    @property
    def seconds(self) -> Mapping[str, float]:
        """Since the watch began; what a process did after it was last looked at is left out."""
        total: defaultdict[str, int] = defaultdict(int)
        for (name, process), ticks in self._ticks.items():
            total[name] += ticks - self._before.get((name, process), 0)
        return {name: ticks / os.sysconf("SC_CLK_TCK") for name, ticks in total.items()}

    def sample(self) -> None:
        """Look at every process that runs now. The kernel remembers a process's peak while it lives."""
        self._ticks.update(self._worked())
        for process in _family(self._root):
            try:
                name = _name((process / "cmdline").read_bytes())
                status = (process / "status").read_text()
            except OSError:
                continue  # it has ended
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    self._peaks[name] = max(self._peaks.get(name, 0), int(line.split()[1]) * 1024)

    def _worked(self) -> Iterator[tuple[tuple[str, str], int]]:
        for process in _family(self._root):
            try:
                name = _name((process / "cmdline").read_bytes())
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            yield (name, process.name), int(fields[11]) + int(fields[12])


@contextmanager
def watched(root: int) -> Iterator[Peaks]:
    """Watch the process of an id and its descendants during the block."""
    peaks, done = Peaks(root), threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE_SECONDS):
            peaks.sample()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def _family(root: int) -> Iterator[Path]:
    parents: dict[int, int] = {}
    for process in PROC.glob("[0-9]*"):
        try:
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    for process_id in parents:
        ancestor = process_id
        while ancestor not in (root, 0):
            ancestor = parents.get(ancestor, 0)
        if ancestor == root:
            yield PROC / str(process_id)


def _name(command_line: bytes) -> str:
    """What a command runs: the module and its first argument, else the program."""
    words = command_line.decode(errors="replace").split("\0")
    if "-m" in words:
        module = words.index("-m") + 1
        return " ".join(word for word in words[module : module + 2] if not word.startswith("-"))
    return Path(words[0]).name
