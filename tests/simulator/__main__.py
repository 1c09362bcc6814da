"""`python -m tests.simulator`: many worlds on all processors, and what became of every upload in them."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from tests.simulator.models import train_models
from tests.simulator.run import Report
from tests.simulator.workers import run_worlds

WORLD = 100
"""Uploads in one world, which is one account for two weeks."""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    out = Console(highlight=False)
    worlds = _worlds(options)
    started = time.perf_counter()
    total = Report()
    with tempfile.TemporaryDirectory() as folder:
        with out.status("training three models"):
            train_models(Path(folder))
        trained = time.perf_counter()
        with _progress(out) as progress:
            task = progress.add_task("uploads", total=sum(worlds.values()), bad=0, faults=0)
            for report in run_worlds(
                Path(folder), worlds, seed=options.seed, faults=options.faults, processes=options.processes
            ):
                total.add(report)
                progress.update(
                    task,
                    advance=report.uploads,
                    bad=len(total.violations),
                    faults=sum(total.faults.values()),
                )
    seconds = time.perf_counter() - trained
    out.print(_summary(total, options, seconds, trained - started))
    for violation in total.violations[:20]:
        key = violation.key if len(violation.key) < 100 else f"{violation.key[:60]}…{violation.key[-30:]}"
        out.print(f"[red]{violation.kind}[/red] {escape(key)}: {escape(violation.detail)}", soft_wrap=True)
    return 1 if total.violations or total.left_over else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--uploads", type=int, default=10_000, help="how many (default: %(default)s)")
    parser.add_argument(
        "--faults",
        type=float,
        default=0.3,
        help="probability of a fault at each AWS call (default: %(default)s)",
    )
    parser.add_argument("--seed", default="1", help="everything follows from it (default: %(default)s)")
    parser.add_argument("--world", type=int, help="run only this world of the seed, such as one that failed")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="default: %(default)s")
    return parser


def _worlds(options: argparse.Namespace) -> dict[int, int]:
    starts = range(0, options.uploads, WORLD)
    worlds = {number: min(WORLD, options.uploads - start) for number, start in enumerate(starts)}
    return worlds if options.world is None else {options.world: worlds[options.world]}


def _progress(out: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[faults]:,} faults  [red]{task.fields[bad]} violations[/red]"),
        console=out,
    )


def _summary(report: Report, options: argparse.Namespace, seconds: float, training: float) -> Table:
    table = Table(
        title=f"seed {options.seed}, {options.faults:.0%} faults", show_header=False, title_justify="left"
    )
    table.add_column()
    table.add_column(justify="right")
    happened = report.happened
    facts: dict[str, int | str] = {
        "uploads": report.uploads,
        "lost": report.count("lost"),
        "doubled": report.count("doubled"),
        "wrong": report.count("wrong"),
        "stray objects": report.count("stray"),
        "dead letters that no redrive mended": report.left_over,
        "scored": report.scored,
        "rows, of which rejected": f"{report.rows:,}, {report.rejected:,}",
        "scored by two models or more": report.mixed,
        "unscorable, each with a reason": report.unscorable,
        "requests to AWS": report.requests,
        "faults": sum(report.faults.values()),
        "events lost": report.lost_events,
        **{name: happened[name] for name in sorted(happened)},
        "uploads/s": f"{report.uploads / seconds:.0f}",
        "seconds (training before that)": f"{seconds:.0f} ({training:.0f})",
    }
    for name, fact in facts.items():
        table.add_row(name, f"{fact:,}" if isinstance(fact, int) else fact)
    table.add_section()
    for name, times in report.faults.most_common():
        table.add_row(name, f"{times:,}")
    table.add_section()
    for name, times in report.reasons.most_common():
        table.add_row(f"unscorable: {name}", f"{times:,}")
    return table


if __name__ == "__main__":
    sys.exit(main())
