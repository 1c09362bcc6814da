"""The command `new-model`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.options import examples
from cli.paths import ROOT, display
from cli.views.terminal import out, warn
from contract.schema import Problem

if TYPE_CHECKING:
    from cli.new_model.make import Made

EXAMPLES = examples(
    ('./millrace new-model income --from adult.csv --target salary --positive ">50K"', "one of two classes"),
    ("./millrace new-model cultivar --from wine.csv --target cultivar", "one of several classes"),
    ("./millrace new-model progression --from diabetes.csv --target progression", "a number"),
    (
        "./millrace new-model stars --from stars.csv --target stars --problem regression",
        "1 to 5, as a number",
    ),
)

Name = Annotated[str, typer.Argument(help="Name of the model and its folder.", show_default=False)]
Source = Annotated[
    Path, typer.Option("--from", metavar="FILE", help="A CSV with a header line.", show_default=False)
]
TargetColumn = Annotated[
    str, typer.Option("--target", metavar="COLUMN", help="The column to predict.", show_default=False)
]
Positive = Annotated[
    str | None,
    typer.Option(
        metavar="VALUE",
        help="Of two classes, the one you look for. Default: a guess, the rarer.",
        show_default=False,
    ),
]
ProblemKind = Annotated[
    Problem | None, typer.Option(help="What kind of problem. Default: by the target.", show_default=False)
]


def new_model(
    name: Name, source: Source, target: TargetColumn, positive: Positive = None, problem: ProblemKind = None
) -> None:
    """Make a model's folder from a table: reads the CSV and writes a commented models/NAME/model.toml.

    Finds types, ranges, markers for missing values, identifiers, constants, the
    kind of problem and a first gate. The file says why, for you to change.
    """
    from cli.new_model.make import new_model as make

    made = make(name, source, column=target, root=ROOT, positive=positive, problem=problem)
    for warning in made.warnings:
        warn(escape(warning))
    drafted = made.document.target
    if drafted.guessed:
        warn(
            escape(
                f"{drafted.positive!r} is taken for the positive value: change it in the file, or --positive."
            )
        )
    for line in told(made, source):
        out.print(line, soft_wrap=True)


def told(made: Made, source: Path) -> Iterator[str]:
    """What was written and what to do next, as markup."""
    document = made.document
    omitted = [draft for draft in document.drafts if draft.omitted]
    features = _counted(len(document.drafts) - len(omitted), "feature")
    left_out = f" ({_counted(len(omitted), 'column')} left out)" if omitted else ""
    yield f"Wrote [bold]{display(made.path)}[/bold]: {document.target.problem}, {features}{left_out}."
    for draft in omitted:
        yield f"[dim]  left out {escape(repr(draft.name))}: {escape(draft.omitted)}[/dim]"
    yield "Look it over, then (after ./millrace up):"
    yield f"  [cyan]./millrace deploy --model {document.name}[/cyan]"
    yield f"  [cyan]./millrace train --model {document.name} {escape(shlex.quote(str(source)))}[/cyan]"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
