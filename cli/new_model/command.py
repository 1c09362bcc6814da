"""The command `new-model`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cli.kit.options import examples
from cli.kit.paths import ROOT, display
from cli.new_model.wording import counted
from cli.views.terminal import out
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

MAX_HINTS = 20
MAX_NAME = 24
NAMELESS = "(no name)"

Name = Annotated[str, typer.Argument(help="Name of the model and its folder.", show_default=False)]
Source = Annotated[
    Path,
    typer.Option(
        "--from", metavar="FILE", help="CSV, JSON Lines or Parquet, also in gzip.", show_default=False
    ),
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
    """Make a model's folder from a table: reads the file and writes a commented models/NAME/model.toml.

    Finds types, ranges, markers for missing values, identifiers, constants, the
    order in time, the kind of problem and a first gate. The file says why, for you
    to change; what was not understood, left out or guessed is listed.
    """
    from cli.new_model.make import new_model as make

    made = make(name, source, column=target, root=ROOT, positive=positive, problem=problem)
    for line in summary(made, source):
        out.print(line, soft_wrap=True)


def summary(made: Made, source: Path) -> Iterator[str]:
    """What was written, what was not understood, and what to do next, as markup."""
    document = made.document
    omitted = sum(bool(draft.omitted) for draft in document.drafts)
    features = counted(len(document.drafts) - omitted, "feature")
    left_out = f" ({counted(omitted, 'column')} left out)" if omitted else ""
    yield f"Wrote [bold]{display(made.path)}[/bold]: {document.target.problem}, {features}{left_out}."
    if made.hints:
        yield "Not understood, left out or guessed; what matters most comes first:"
    width = min(MAX_NAME, max((len(hint.column) for hint in made.hints), default=0))
    for hint in made.hints[:MAX_HINTS]:
        yield f"  [bold]{escape(hint.column or NAMELESS):<{width}}[/bold]  {escape(str(hint))}"
    if (more := len(made.hints) - MAX_HINTS) > 0:
        yield f"  [dim]and {more:,} more, in the comments of the file[/dim]"
    yield "Look it over, then (after ./millrace up):"
    yield f"  [cyan]./millrace deploy --model {document.name}[/cyan]"
    yield f"  [cyan]./millrace train --model {document.name} {escape(shlex.quote(str(source)))}[/cyan]"
