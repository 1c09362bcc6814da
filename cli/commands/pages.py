"""The command `pages`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.aws.page_history import Page, alarm_prefix, read_pages
from cli.aws.session import Deployment, connect, deployment
from cli.aws.waiting import wait_until
from cli.kit.durations import since as moment
from cli.kit.errors import CliError
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Follow, Model, Port, Since, examples
from cli.views.terminal import out

EXAMPLES = examples(
    ("./millrace pages", "what was paged in the last two weeks"),
    ("./millrace pages --wait 60", "wait a minute for one; exit code 1 if none comes"),
    ("./millrace pages --alarm unscorable-uploads", "of one alarm"),
    ("./millrace pages --follow", "and go on, until Ctrl-C"),
    (
        "./millrace pages --environment prod --model income --since 6h",
        "from the alarms' history of an account",
    ),
)

WaitSeconds = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", help="Wait so long for the first.", min=0, show_default=False),
]
AlarmName = Annotated[
    str | None,
    typer.Option("--alarm", "-a", metavar="NAME", help="Only pages of this alarm.", show_default=False),
]

STATE_STYLES = {"ALARM": "red", "OK": "green"}


def pages(
    environment: Environment = LOCAL,
    model: Model = None,
    follow: Follow = False,
    wait: WaitSeconds = 0,
    since: Since = "14d",
    alarm: AlarmName = None,
    port: Port = DEFAULT_PORT,
) -> None:
    """Show what was paged: when, which alarm, why, and the runbook. Reading deletes nothing."""
    after = moment(since)
    deployed = deployment(connect(environment, port), model)
    alarm = alarm and known_alarm(deployed, alarm)
    if wait:
        paged = wait_for_page(deployed, after=after, timeout=wait, alarm=alarm)
    else:
        paged = read_pages(deployed, after=after, alarm=alarm)
    if paged:
        out.print(pages_table(paged))
    elif not follow:
        out.print("Nobody was paged.")
    while follow:
        after = paged[-1].when if paged else after
        paged = wait_for_page(deployed, after=after, timeout=float("inf"), alarm=alarm)
        out.print(pages_table(paged))


def known_alarm(deployed: Deployment, named: str) -> str:
    """An alarm's name as pages are told by it, of that or of its full name.

    Raises:
        CliError: the model has no such alarm, so nobody can be paged by it.
    """
    prefix = alarm_prefix(deployed)
    known = [alarm["AlarmName"].removeprefix(prefix) for alarm in deployed.alarms()]
    name = named.removeprefix(prefix)
    if name not in known:
        raise CliError(f"there is no alarm {name!r}: there are {', '.join(known) or 'none'}.")
    return name


def wait_for_page(
    deployed: Deployment, *, after: datetime, timeout: float, alarm: str | None = None
) -> list[Page]:
    """Wait until there is a page after a moment, of one alarm or of any, and return all such.

    Raises:
        CliError: none came in `timeout` seconds.
    """
    return wait_until(
        lambda: read_pages(deployed, after=after, alarm=alarm),
        timeout=timeout,
        what=f"a page of {alarm}" if alarm else "a page",
        seen=lambda: "no page since " + after.strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def pages_table(rows: Sequence[Page]) -> Table:
    """Pages, one a row."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("state")
    table.add_column("alarm", overflow="fold")
    table.add_column("reason and runbook", overflow="fold")
    for page in rows:
        runbook = f"\n[cyan]{escape(page.runbook)}[/cyan]" if page.runbook else ""
        state = f"[{STATE_STYLES.get(page.state, 'yellow')}]{page.state}[/]"
        table.add_row(f"{page.when:%m-%d %H:%M:%S}", state, page.alarm, escape(page.reason) + runbook)
    return table
