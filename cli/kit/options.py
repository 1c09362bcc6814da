"""Options that many commands share, and the examples under their `--help`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from contract.names.jobs import Variable
from local import DEFAULT_PORT as LOCAL_PORT

Environment = Annotated[
    str,
    typer.Option(
        "--environment",
        "-e",
        envvar=Variable.ENVIRONMENT,
        help="A table of environments.toml.",
        metavar="NAME",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        envvar=Variable.MODEL,
        help="A folder of models/. Default: the only one deployed.",
        metavar="NAME",
        show_default=False,
    ),
]
Port = Annotated[
    int,
    typer.Option(
        "--port",
        "-p",
        envvar="MILLRACE_PORT",
        help="Which local cloud, by its port.",
        metavar="PORT",
        min=1,
        max=65535,
    ),
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Show new ones as they come.")]
Since = Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back: 90s, 30m, 6h, 14d.")]
LOCAL = "local"
"""The environment that is the laptop."""
DEFAULT_PORT = LOCAL_PORT


def examples(*lines: tuple[str, str]) -> str:
    """The epilog of a command's help: each command, and under it what it does."""
    shown = [f"[cyan]{escape(command)}[/cyan]\n  [dim]{escape(what)}[/dim]" for command, what in lines]
    return "\n".join(["[bold]Examples[/bold]", *shown])
