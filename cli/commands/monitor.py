"""The command `monitor`: whether what is asked and answered is what the model was trained on."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from rich.markup import escape
from rich.table import Table

from cli.aws.monitoring import WatchedVersion, start_monitor, watched_versions
from cli.aws.releases import live_version
from cli.aws.session import connect, deployment
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.views.terminal import out

EXAMPLES = examples(
    ("./millrace monitor", "each model version: its verdict, since when, and by which columns"),
    ("./millrace monitor run", "look at what is new now, not at the next full hour"),
    ("./millrace monitor --environment prod --model income", "in an account"),
)
_STYLES = {"drifted": "red", "ok": "green"}
_COLUMNS_SHOWN = 5

app = typer.Typer(no_args_is_help=False)


@app.callback(invoke_without_command=True)
def monitor(
    context: typer.Context,
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """Show whether what is asked and answered is what each model version was trained on."""
    if context.invoked_subcommand:
        return
    deployed = deployment(connect(environment, port), model)
    watched = watched_versions(deployed)
    if not watched:
        out.print("Nothing was monitored yet: predictions are looked at once their hour is over.")
        return
    live = live_version(deployed)
    out.print(versions_table(watched, live.model_version if live else ""))


@app.command()
def run(environment: Environment = LOCAL, model: Model = None, port: Port = DEFAULT_PORT) -> None:
    """Start a run of the monitor, beside its schedule."""
    name = start_monitor(deployment(connect(environment, port), model))
    out.print(f"Started {escape(name)}. Follow it with ./millrace logs monitor --follow.")


def versions_table(watched: Sequence[WatchedVersion], live: str) -> Table:
    """A model version a row."""
    table = Table(box=None, pad_edge=False)
    for title in ("version", "verdict", "since (UTC)", "columns", "evidence", "judged until"):
        table.add_column(title)
    for version in watched:
        mark = " (live)" if live.endswith(f"/{version.number}") else ""
        style = _STYLES.get(version.verdict, "yellow")
        table.add_row(
            f"{version.number}{mark}",
            f"[{style}]{version.verdict}[/{style}]",
            version.since or "",
            escape(_columns(version.columns)),
            f"{version.evidence:.3g}",
            version.judged or "",
        )
    return table


def _columns(names: Sequence[str]) -> str:
    more = f" and {len(names) - _COLUMNS_SHOWN} more" if len(names) > _COLUMNS_SHOWN else ""
    return ", ".join(names[:_COLUMNS_SHOWN]) + more
