"""The command `models`: the versions of a model, and what people decide about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.errors import CliError
from cli.evaluation import comparison_table, gate_lines
from cli.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.registry import Version, decide, read_package_evaluation, styled_status, version, versions
from cli.releases import APPROVED, REJECTED, live_version
from cli.session import Deployment, connect, deployment
from cli.terminal import out

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType

EXAMPLES = examples(
    ("./millrace models", "every version: metrics, gates, status, and which is live"),
    ("./millrace models compare 3 4", "their metrics side by side, with intervals"),
    ('./millrace models approve 4 --note "better on young adults"', "release it; the note is kept"),
    ('./millrace models reject 4 --note "trained on a broken export"', "it stays out"),
    ("./millrace models --environment prod --model income", "in an account"),
)
SHORT = 12

Named = Annotated[str, typer.Argument(metavar="VERSION", help="Such as 3, or <group>/3.")]
First = Annotated[str, typer.Argument(metavar="A", help="A version, such as 3.", show_default=False)]
Second = Annotated[str, typer.Argument(metavar="B", help="Another version.", show_default=False)]
Note = Annotated[str, typer.Option("--note", "-n", metavar="TEXT", help="Why. Kept with your identity.")]

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """List a model's versions, compare two, approve or reject one."""
    if context.invoked_subcommand is None:
        deployed = deployment(connect(environment, port), model)
        found = versions(deployed)
        if found:
            out.print(versions_table(deployed, found))
        else:
            out.print(f"{deployed.model} has no version yet: ./millrace train FILE makes one.")


@app.command(epilog=examples(("./millrace models compare 3 4", "version 3 beside version 4")))
def compare(
    first: First,
    second: Second,
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """Show the metrics of two versions side by side, with their 95% intervals."""
    deployed = deployment(connect(environment, port), model)
    pair = [version(deployed, named) for named in (first, second)]
    out.print(comparison_table({found.name: _evaluation(deployed, found) for found in pair}))
    if len({found.dataset_version for found in pair}) > 1:
        out.print("They were trained and measured on different datasets: their holdouts are not the same.")


@app.command(epilog=examples(('./millrace models approve 4 --note "better on young adults"', "release it")))
def approve(
    named: Named,
    note: Note,
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """Approve a version, which releases it; who did and the note are kept with it."""
    _decide(deployment(connect(environment, port), model), named, APPROVED, note)
    out.print("It is being released: see ./millrace status.")


@app.command(epilog=examples(('./millrace models reject 4 --note "a broken export"', "it stays out")))
def reject(
    named: Named,
    note: Note,
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """Reject a version; who did and the note are kept with it. What is live stays live."""
    deployed = deployment(connect(environment, port), model)
    found = _decide(deployed, named, REJECTED, note)
    live = live_version(deployed)
    if live is not None and live.model_version == found.name:
        out.print("It is live, and stays so until another version is approved.")


def versions_table(deployed: Deployment, found: list[Version]) -> Table:
    """A version a block, newest first: its facts, one a line."""
    live = live_version(deployed)
    table = Table.grid(padding=(0, 2))
    for each in found:
        mark = "[bold green]live[/bold green]" if live and live.model_version == each.name else ""
        table.add_row(f"[bold]{each.name}[/bold]", styled_status(each), mark)
        facts = _facts(each, read_package_evaluation(deployed.aws, each))
        for title, fact in facts:
            table.add_row(f"  {title}", fact)
    return table


def _decide(deployed: Deployment, named: str, status: ModelApprovalStatusType, note: str) -> Version:
    """Give a version a status, and say so."""
    found = version(deployed, named)
    told = decide(deployed.aws, found, status, note)
    out.print(f"{found.name}: {escape(told)}", soft_wrap=True)
    return found


def _facts(each: Version, evaluation: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    yield "created", each.created
    lines = gate_lines(evaluation) if evaluation else ["its evaluation.json is not there"]
    for i, line in enumerate(lines):
        yield "metrics" if i == 0 else "", line
    yield "dataset", each.dataset_version[:SHORT] or "unknown"
    if each.description:
        yield "decision", escape(each.description)


def _evaluation(deployed: Deployment, found: Version) -> dict[str, Any]:
    evaluation = read_package_evaluation(deployed.aws, found)
    if evaluation is None:
        raise CliError(f"the evaluation of {found.name} is not there, so there is nothing to compare.")
    return evaluation
