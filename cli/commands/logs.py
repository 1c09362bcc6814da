"""The command `logs`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.aws.loglines import SOURCES, Line
from cli.aws.session import Deployment, connect, deployment
from cli.durations import since as moment
from cli.options import DEFAULT_PORT, LOCAL, Environment, Follow, Model, Port, Since, examples
from cli.views.terminal import err, out

EXAMPLES = examples(
    ("./millrace logs", "everything of the last hour, by time"),
    ("./millrace logs score --key score/day.csv", "what happened to one upload"),
    ("./millrace logs jobs --since 2h", "the last training runs' jobs"),
    ("./millrace logs score endpoint --follow --environment dev", "two sources of an account, as they come"),
)

Source = StrEnum("Source", {name.upper(): name for name in SOURCES})  # type: ignore[misc]
Which = Annotated[
    list[Source] | None,
    typer.Argument(metavar="SOURCE", help=f"Of {', '.join(SOURCES)}. Default: all.", show_default=False),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", "-k", metavar="UPLOAD_KEY", help="Only lines about this upload.", show_default=False
    ),
]

Everything = Annotated[
    bool, typer.Option("--all", "-a", help="Also the metrics, and where invocations start and end.")
]

FOLLOW_POLL_SECONDS = 1.0
SOURCE_WIDTH = max(map(len, SOURCES))
LEVEL_STYLES = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow", "INFO": "green", "DEBUG": "dim"}
HIDDEN_FIELDS = frozenset({"timestamp", "level", "message", "logger", "_aws", "error", "request_id"})


def logs(
    which: Which = None,
    environment: Environment = LOCAL,
    model: Model = None,
    follow: Follow = False,
    since: Since = "1h",
    key: Key = None,
    everything: Everything = False,
    port: Port = DEFAULT_PORT,
) -> None:
    """Show what functions, jobs, releases and the endpoint logged."""
    after = moment(since)
    deployed = deployment(connect(environment, port), model)

    def read() -> list[Line]:
        lines = read_lines(deployed, which or list(SOURCES), after, key)
        return [line for line in lines if everything or not line.bookkeeping]

    shown = show(read())
    if not shown and not follow:
        err.print(f"Nothing was logged in the last {since}" + (f" about {key}." if key else "."))
    while follow:
        time.sleep(FOLLOW_POLL_SECONDS)
        shown |= show(line for line in read() if line not in shown)


def read_lines(deployed: Deployment, sources: Sequence[str], after: datetime, key: str | None) -> list[Line]:
    """The lines of some sources after a moment, by time; with `key`, those about one upload."""
    lines = (line for source in sources for line in SOURCES[source](deployed, source, after))
    about = (line for line in lines if key is None or line.mentions(key))
    return sorted(about, key=lambda line: line.when)  # stable: a source keeps its order


def show(lines: Iterable[Line]) -> set[Line]:
    """Print lines and return them."""
    printed = set()
    for line in lines:
        out.print(rendered(line), soft_wrap=True)
        printed.add(line)
    return printed


def rendered(line: Line) -> Text:
    """A line for reading: time, source, level, message, and its other fields as key=value."""
    head = Text.assemble(
        (f"{line.when:%H:%M:%S}.{line.when.microsecond // 1000:03d} ", "dim"),
        f"{line.source:<{SOURCE_WIDTH}} ",
    )
    fields = line.fields
    if fields is None:
        return head.append(
            line.text, style="dim" if line.text.startswith(("START ", "END ", "REPORT ")) else ""
        )
    level = str(fields.get("level", "METRICS" if "_aws" in fields else ""))
    head.append(f"{level:<8}", style=LEVEL_STYLES.get(level, "dim"))
    head.append(str(fields.get("message", "")))
    rest = {name: value for name, value in fields.items() if name not in HIDDEN_FIELDS}
    head.append("".join(f"  {name}={value}" for name, value in rest.items()), style="dim")
    return head.append(_error(fields.get("error")))


def _error(error: Any) -> str:
    if not isinstance(error, dict):
        return f"  error={error}" if error else ""
    told = error.get("traceback") or f"{error.get('type')}: {error.get('message')}"
    return "\n" + "\n".join(f"    {line}" for line in str(told).rstrip().splitlines())
