"""The command line as a whole: which commands there are, and how any of them fails."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from cli.commands import (
    cloud,
    datasets,
    deploy,
    logs,
    models,
    monitor,
    outputs,
    pages,
    permissions,
    quotas,
    redrive,
    status,
    trace,
    train,
)
from cli.demo import command as demo
from cli.kit.errors import sentence
from cli.kit.paths import ROOT
from cli.new_model import command as new_model
from cli.views.terminal import err, out

MODELS, LAPTOP, DEPLOYMENT, OPERATION = "Models", "This laptop", "Deployment", "Operation"


class FrontDoor(TyperGroup):
    """Turns what a person can put right into a sentence; only our own bugs show a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            text = sentence(error)
            if text is None:
                raise
            err.print(f"[red]error:[/red] {escape(text)}", soft_wrap=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    name="millrace",
    cls=FrontDoor,
    help="An MLOps pipeline for AWS, whole on your laptop. Every command has a --help with examples.",
    epilog="Begin with [cyan]./millrace demo[/cyan]: the whole loop in a minute.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(wanted: bool) -> None:
    if wanted:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        out.print(f"{project['name']} {project['version']}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


app.command("new-model", epilog=new_model.EXAMPLES, rich_help_panel=MODELS)(new_model.new_model)
app.command(epilog=train.EXAMPLES, rich_help_panel=MODELS)(train.train)
app.add_typer(models.app, name="models", epilog=models.EXAMPLES, rich_help_panel=MODELS)
app.command("datasets", epilog=datasets.EXAMPLES, rich_help_panel=MODELS)(datasets.list_datasets)
app.command(epilog=demo.EXAMPLES, rich_help_panel=LAPTOP)(demo.demo)
app.command(epilog=cloud.UP_EXAMPLES, rich_help_panel=LAPTOP)(cloud.up)
app.command(epilog=cloud.DOWN_EXAMPLES, rich_help_panel=LAPTOP)(cloud.down)
app.command(epilog=permissions.EXAMPLES, rich_help_panel=LAPTOP)(permissions.permissions)
app.command(epilog=deploy.EXAMPLES, rich_help_panel=DEPLOYMENT)(deploy.deploy)
app.command(epilog=outputs.EXAMPLES, rich_help_panel=DEPLOYMENT)(outputs.outputs)
app.command(epilog=cloud.ENV_EXAMPLES, rich_help_panel=DEPLOYMENT)(cloud.env)
app.command(epilog=status.EXAMPLES, rich_help_panel=OPERATION)(status.status)
app.add_typer(monitor.app, name="monitor", epilog=monitor.EXAMPLES, rich_help_panel=OPERATION)
app.command(epilog=trace.EXAMPLES, rich_help_panel=OPERATION)(trace.trace)
app.command(epilog=pages.EXAMPLES, rich_help_panel=OPERATION)(pages.pages)
app.command(epilog=logs.EXAMPLES, rich_help_panel=OPERATION)(logs.logs)
app.command(epilog=redrive.EXAMPLES, rich_help_panel=OPERATION)(redrive.redrive)
app.command(epilog=quotas.EXAMPLES, rich_help_panel=OPERATION)(quotas.quotas)
