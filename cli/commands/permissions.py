"""The command `permissions`: which statements of the deployed roles were needed so far."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer
from rich.markup import escape

from cli.aws.session import connect
from cli.kit.options import DEFAULT_PORT, LOCAL, Port, examples
from cli.kit.paths import cloud_folder
from cli.views.terminal import facts, out
from local.permissions import StatementUse, Use, statement_uses

EXAMPLES = examples(
    ("./millrace permissions", "what nothing needed since the local cloud was started"),
    ("./millrace permissions --all", "every statement, and how far it was needed"),
    ("./millrace permissions --json", "the same for a program"),
)
STACKS = "millrace-"


def permissions(
    port: Port = DEFAULT_PORT,
    every: bool = typer.Option(False, "--all", help="Show what was needed, too."),
    as_json: bool = typer.Option(False, "--json", help="Print every statement as JSON."),
) -> None:
    """Show which permissions of the deployed roles no call on the local cloud has needed yet.

    A statement, an action or a resource of it is needed when some call would have been refused without it.
    """
    aws = connect(LOCAL, port)
    iam = aws.session.client("iam", **aws.options)
    uses = statement_uses(cloud_folder(port), aws.cloudformation, iam, STACKS)
    if as_json:
        typer.echo(json.dumps([_document(use) for use in uses], indent=2))
        return
    needed = sum(use.use is Use.NEEDED for use in uses)
    out.print(f"{needed} of {len(uses)} statements were needed so far.")
    table = facts(3)
    for use in uses:
        if every or use.unneeded:
            table.add_row(f"[bold]{use.role}[/bold]", _word(use.use), escape(_parts(use, every=every)))
    out.print(table)


def _parts(use: StatementUse, *, every: bool) -> str:
    if every or use.use is not Use.NEEDED:
        return f"{', '.join(use.actions)} on {', '.join(use.resources)}"
    return f"but not {', '.join(use.unneeded)}"


def _word(use: Use) -> str:
    return {
        Use.NEVER: "[yellow]never[/yellow]",
        Use.REDUNDANT: "[yellow]redundant[/yellow]",
        Use.NEEDED: "[green]needed[/green]",
    }[use]


def _document(use: StatementUse) -> dict[str, object]:
    document = asdict(use)
    return {
        **document,
        "use": use.use.name.lower(),
        "actions": {action: service.name.lower() for action, service in use.actions.items()},
        "resources": {pattern: service.name.lower() for pattern, service in use.resources.items()},
    }
