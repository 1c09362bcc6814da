"""A large CSV file: the scoring core beside pandas, beside its own limit, and its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer

from benchmarks import models, tables
from benchmarks.environment import FOLDER, ROOT
from benchmarks.report import console, judged, machine, ratio, table

MILLRACE, PANDAS, LIMIT = "millrace", "pandas", "limit"
CONTENDERS = {
    MILLRACE: "Millrace: parse, validate, score, write",
    PANDAS: "pandas.read_csv + pipeline",
    "pandas_written": "pandas.read_csv + pipeline + to_csv",
    LIMIT: "pyarrow parse + session.run alone",
}
"""By their name in `benchmarks.suites.file_scorers`."""
TARGETS = {PANDAS: 3.5, LIMIT: 0.6}
"""How many times the rows a second of each."""
PEAK_TARGET_MIB, GROWTH_TARGET = 350, 1.1
LARGER = 4


class Figures(NamedTuple):
    """One run: how long it took, on the clock and of all cores, and the most memory its process had."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def files(
    rows: Annotated[int, typer.Option(help="Rows of the file.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="Alternations; figures are their medians.")] = 3,
    estimator: Annotated[str, typer.Option(help="Which of the estimators.")] = "hist-gradient-boosting",
    training_rows: Annotated[int, typer.Option(help="Rows to fit the models on.")] = models.TRAINING_ROWS,
) -> None:
    """A CSV file of 30 columns scored whole: rows a second, and peak memory also at four times the rows."""
    folder = models.fitted(estimator, FOLDER / f"models-{training_rows}", training_rows).folder
    source = tables.write_csv(FOLDER / "tables" / f"{rows}.csv", rows)
    larger = tables.write_csv(FOLDER / "tables" / f"{rows * LARGER}.csv", rows * LARGER)
    found: dict[str, list[Figures]] = defaultdict(list)
    console.print(f"{source.stat().st_size / 1e6:,.0f} MB, {rows:,} rows, {estimator}. {machine()}")
    for _ in range(rounds):
        for name in CONTENDERS:
            found[name].append(_run(name, folder, source))
    _show(rows, found)
    peak, at_larger = (
        median(f.peak_mib for f in found[MILLRACE]),
        _run(MILLRACE, folder, larger),
    )
    flat = judged(f"{at_larger.peak_mib:,.0f} MiB", at_larger.peak_mib <= peak * GROWTH_TARGET)
    console.print(f"Millrace's peak at {rows * LARGER:,} rows: {flat}, in {at_larger.seconds:.1f} s")


def _run(name: str, folder: Path, source: Path) -> Figures:
    with TemporaryDirectory(prefix="millrace-") as results:
        command = [sys.executable, "-m", "benchmarks.suites.file_scorers", name, str(folder), str(source)]
        done = subprocess.run(
            [*command, str(Path(results) / "result.csv")],
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"},
            stdout=subprocess.PIPE,
            check=True,
        )
    return Figures(**json.loads(done.stdout))


def _show(rows: int, found: dict[str, list[Figures]]) -> None:
    made = table("", "", "rows/s", "CPU s", "peak MiB", "Millrace's rows/s / its", "its CPU s / Millrace's")
    ours = [figures.seconds for figures in found[MILLRACE]]
    our_cpu = [figures.cpu_seconds for figures in found[MILLRACE]]
    for name, title in CONTENDERS.items():
        seconds = [figures.seconds for figures in found[name]]
        peak = median(figures.peak_mib for figures in found[name])
        cpu = [figures.cpu_seconds for figures in found[name]]
        times = ratio(seconds, ours)
        memory = f"{peak:,.0f}"
        made.add_row(
            title,
            f"{rows / median(seconds):,.0f}",
            f"{median(cpu):.1f}",
            judged(memory, peak <= PEAK_TARGET_MIB) if name == MILLRACE else memory,
            judged(f"{times:.2f}", times >= TARGETS[name]) if name in TARGETS else f"{times:.2f}",
            f"{ratio(cpu, our_cpu):.2f}",
        )
    console.print(made)
