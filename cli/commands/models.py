"""The command `models`: the versions of a model, and what people decide about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cli.aws import reports
from cli.aws.registry import Version, decide, read_package_evaluation, version, versions
from cli.aws.releases import APPROVED, REJECTED, live_version
from cli.aws.session import Deployment, connect, deployment
from cli.kit.errors import CliError
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.kit.paths import display
from cli.views.evaluation import comparison_table, evaluation_text
from cli.views.terminal import out
from cli.views.version_tables import versions_table
from contract.names.runs import Origin

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType

EXAMPLES = examples(
    ("./millrace models", "every version: metrics, gates, status, and which is live"),
    ("./millrace models show 4", "one of them: every metric and gate, where it came from"),
    ("./millrace models report 4", "bring the page that evaluate wrote, to open in a browser"),
    ("./millrace models compare 3 4", "their metrics side by side, with intervals"),
    ('./millrace models approve 4 --note "better on young adults"', "release it; the note is kept"),
    ('./millrace models reject 4 --note "trained on a broken export"', "it stays out"),
    ("./millrace models --environment prod --model income", "in an account"),
)
NEWEST = 20

Named = Annotated[str, typer.Argument(metavar="VERSION", help="Such as 3, or <group>/3.")]
First = Annotated[str, typer.Argument(metavar="A", help="A version, such as 3.", show_default=False)]
Second = Annotated[str, typer.Argument(metavar="B", help="Another version.", show_default=False)]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many, from the newest.")]
Note = Annotated[str, typer.Option("--note", "-n", metavar="TEXT", help="Why. Kept with your identity.")]

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    environment: Environment = LOCAL,
    model: Model = None,
    limit: Limit = NEWEST,
    port: Port = DEFAULT_PORT,
) -> None:
    """List a model's versions; show one or its report, compare two, approve or reject one."""
    if context.invoked_subcommand is not None:
        _refuse_options(context, context.invoked_subcommand)
    else:
        deployed = deployment(connect(environment, port), model)
        _list(deployed, limit)


def _list(deployed: Deployment, limit: int) -> None:
    listed, older = versions(deployed, limit=limit)
    if listed:
        out.print(versions_table(deployed, listed))
    else:
        out.print(f"{deployed.model} has no version yet: ./millrace train FILE makes one.")
    if older:
        out.print(f"{older} older: {deployed.command(f'models --limit {len(listed) + older}')}")


def _refuse_options(context: typer.Context, command: str) -> None:
    """The command has these options too, and would go by its own: on another environment than is meant."""
    given = [name for name in context.params if _is_typed(context, name)]
    if given:
        raise CliError(
            f"--{given[0]} belongs after {command}: "
            f"./millrace models {command} … --{given[0]} {context.params[given[0]]}"
        )


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@app.command(epilog=examples(("./millrace models show 4", "what to know before it is approved")))
def show(
    named: Named,
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """Show all that is known of a version: metrics, gates, where it came from, its report and card."""
    deployed = deployment(connect(environment, port), model)
    package = version(deployed, named)
    out.print(versions_table(deployed, [package]))
    for name, value in package.origin.items():
        out.print(f"  {name.replace('_', ' '):<17}{escape(value)}", soft_wrap=True)
    evaluation = read_package_evaluation(deployed.aws, package)
    if evaluation is not None:
        out.print(evaluation_text(evaluation))


@app.command(epilog=examples(("./millrace models report 4", "the page to look at before it is approved")))
def report(
    named: Named,
    environment: Environment = LOCAL,
    model: Model = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """Bring a version's report here from S3, and say where it is, to open in a browser."""
    deployed = deployment(connect(environment, port), model)
    package = version(deployed, named)
    if Origin.REPORT not in package.origin:
        raise CliError(f"the package of {package.name} names no report.")
    out.print(display(reports.fetch(deployed.aws, package.origin[Origin.REPORT])), soft_wrap=True)


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
    pair = two_versions(deployed, first, second)
    out.print(comparison_table({package.name: _evaluation(deployed, package) for package in pair}))
    if len({package.dataset_version for package in pair}) > 1:
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
    deployed = deployment(connect(environment, port), model)
    package = _decide(deployed, named, APPROVED, note)
    out.print(after_approval(deployed, package))


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
    package = _decide(deployed, named, REJECTED, note)
    if _is_live(deployed, package):
        out.print("It is live, and stays so until another version is approved.")


def two_versions(deployed: Deployment, first: str, second: str) -> tuple[Version, Version]:
    """Two versions by their names.

    Raises:
        CliError: one does not exist, or both are the same.
    """
    pair = version(deployed, first), version(deployed, second)
    if pair[0].name == pair[1].name:
        raise CliError(f"{first} and {second} are the same version: ./millrace models lists the others.")
    return pair


def after_approval(deployed: Deployment, package: Version) -> str:
    """Return the sentence about a version that was just approved."""
    if _is_live(deployed, package):
        return f"It is live already, and is released once more: see {deployed.command('status')}."
    return f"It is being released: see {deployed.command('status')}."


def _is_live(deployed: Deployment, package: Version) -> bool:
    live = live_version(deployed)
    return live is not None and live.model_version == package.name


def _decide(deployed: Deployment, named: str, status: ModelApprovalStatusType, note: str) -> Version:
    """Give a version a status, and say so."""
    package = version(deployed, named)
    description = decide(deployed.aws, package, status, note)
    out.print(f"{package.name}: {escape(description)}", soft_wrap=True)
    return package


def _evaluation(deployed: Deployment, package: Version) -> dict[str, Any]:
    evaluation = read_package_evaluation(deployed.aws, package)
    if evaluation is None:
        raise CliError(f"the evaluation of {package.name} is missing, so there is nothing to compare.")
    return evaluation
