"""Worlds on all processors: each process loads the models once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.simulator.models import Models, load_models
from tests.simulator.run import Report, simulate

_models: Models = {}


def run_worlds(
    folder: Path, worlds: dict[int, int], *, seed: str, faults: float, processes: int
) -> Iterator[Report]:
    """A report a world, as they end. `worlds` says by number how many uploads each has; `folder` has the models."""
    # Not forked: what a parent's threads hold would stay held.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _load, (folder,)) as pool:
        started = [
            pool.submit(_run, folder, world, seed=seed, uploads=uploads, faults=faults)
            for world, uploads in worlds.items()
        ]
        for future in as_completed(started):
            yield future.result()


def _load(folder: Path) -> None:
    global _models
    _models = load_models(folder)


def _run(folder: Path, world: int, *, seed: str, uploads: int, faults: float) -> Report:
    report = simulate(_models, folder, seed=f"{seed}/{world}", uploads=uploads, faults=faults)
    report.violations = [violation.of_world(world) for violation in report.violations]
    return report
