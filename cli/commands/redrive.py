"""The command `redrive`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from cli.aws.redrive.routes import redrives
from cli.aws.session import connect, deployment
from cli.kit.choices import chosen
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.views.terminal import err, out

EXAMPLES = examples(
    ("./millrace redrive", "everything that was given up on, once its reason is gone"),
    ("./millrace redrive score", "only uploads to score"),
    ("./millrace redrive batch release --environment prod", "two of an account"),
)

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ROUTE",
        help="Such as score, batch, training, release or failure. Default: all there are.",
        show_default=False,
    ),
]


def redrive(
    names: Names = None, environment: Environment = LOCAL, model: Model = None, port: Port = DEFAULT_PORT
) -> None:
    """Do again what was given up on: dead letters, and large uploads whose batch failed.

    Nothing is done twice by it: what has its outcome meanwhile is skipped. What fails again is given up
    on again; read the log first (./millrace logs).
    """
    deployed = deployment(connect(environment, port), model)
    table = Table("route", "done again", "left", box=None, padding=(0, 3), header_style="dim")
    for name, run in chosen(names, redrives(deployed), "ROUTE").items():
        with err.status(f"{name}: reading") as status:
            result = run(lambda text, name=name: status.update(f"{name}: {text}"))  # type: ignore[misc]
        table.add_row(name, str(result.done), result.left)
    out.print(table)
