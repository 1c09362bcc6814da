"""The versions of a model as people read them, in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from cli.aws.registry import Version, read_package_evaluation, styled_status
from cli.aws.releases import live_version
from cli.aws.session import Deployment
from cli.views.evaluation import gate_lines
from cli.views.terminal import facts
from contract.names.runs import Origin

SHORT = 12


def versions_table(deployed: Deployment, listed: Sequence[Version]) -> Table:
    """A version a block, newest first: its facts, one a line."""
    live = live_version(deployed)
    table = facts(3)
    for each in listed:
        mark = "[bold green]live[/bold green]" if live and live.model_version == each.name else ""
        table.add_row(f"[bold]{each.name}[/bold]", styled_status(each), mark)
        for title, fact in _facts(deployed, each, read_package_evaluation(deployed.aws, each)):
            table.add_row(f"  {title}", fact)
    return table


def _facts(
    deployed: Deployment, each: Version, evaluation: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    yield "created", each.created
    lines = gate_lines(evaluation) if evaluation else ["its evaluation.json is not there"]
    for i, line in enumerate(lines):
        yield "metrics" if i == 0 else "", line
    yield "dataset", each.dataset_version[:SHORT] or "unknown"
    if Origin.REPORT in each.origin:
        yield "report", escape(deployed.command(f"models report {each.number}"))
    if each.description:
        yield "decision", escape(each.description)
