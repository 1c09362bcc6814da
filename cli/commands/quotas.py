"""The command `quotas`."""

from __future__ import annotations

import typer
from rich.table import Table

from cli.aws.account.service_quotas import Need, compared, needed
from cli.aws.clients import Aws
from cli.aws.session import connect
from cli.kit.errors import CliError
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.kit.paths import ROOT
from cli.kit.settings import default_model, environment_settings, model_settings
from cli.views.terminal import out, warn

EXAMPLES = examples(
    ("./millrace quotas --environment prod", "before the first deployment to an account"),
    ("./millrace quotas --environment prod --model income", "of one model among several"),
)


def quotas(environment: Environment = LOCAL, model: Model = None, port: Port = DEFAULT_PORT) -> None:
    """Show the instances that a model needs at a time beside the account's quotas, and how to ask for more.

    A new account has none of many types of instances.
    """
    if environment == LOCAL:
        raise typer.BadParameter("the laptop has no quotas: name an account's", param_hint="--environment")
    aws = connect(environment, port)
    needs = of_model(aws, model or default_model(ROOT / "models"))
    table = Table("quota", "needed", "there are", box=None, padding=(0, 3), header_style="dim")
    for need in needs:
        value = f"{need.quota.value:g}" if need.quota else "unknown"
        table.add_row(need.name, str(need.needed), value if need.is_met else f"[red]{value}[/red]")
    out.print(table)
    tell_shortfalls(aws, needs)
    if not all(need.is_met for need in needs):
        raise typer.Exit(1)


def of_model(aws: Aws, model: str) -> list[Need]:
    """What a model needs in an environment, beside what there is."""
    return compared(aws, needed(environment_settings(aws.environment), model_settings(model)))


def tell_shortfalls(aws: Aws, needs: list[Need]) -> None:
    """Say for each quota that is too small what does not work without it, and how to ask for more."""
    for need in needs:
        if not need.is_met:
            there = f"{need.quota.value:g}" if need.quota else "no such quota"
            command = need.command(str(aws.session.region_name))
            warn(f"{need.name}: {need.needed} needed, {there}. Ask for more:\n{command}")


def warn_of_shortfalls(aws: Aws, model: str) -> None:
    """The same before a deployment, which goes on: a run or a release would fail for want of instances."""
    try:
        tell_shortfalls(aws, of_model(aws, model))
    except CliError as error:
        warn(str(error))
