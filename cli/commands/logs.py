"""The command `logs`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.aws.logs.lines import Line
from cli.aws.logs.sources import lines, log_sources
from cli.aws.session import Deployment, connect, deployment
from cli.kit.choices import chosen
from cli.kit.durations import since as moment
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Follow, Model, Port, Since, examples
from cli.views.terminal import err, out

EXAMPLES = examples(
    ("./millrace logs", "everything of the last hour, by time"),
    ("./millrace logs score --key score/day.csv", "what happened to one upload"),
    ("./millrace logs jobs --since 2h", "the last training runs' jobs"),
    ("./millrace logs score endpoint --follow --environment dev", "two sources of an account, as they come"),
)

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Such as score, train, jobs, release or endpoint. Default: all there are.",
        show_default=False,
    ),
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
SOURCE_WIDTH = 9
LEVEL_STYLES = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow", "INFO": "green", "DEBUG": "dim"}
HIDDEN_FIELDS = frozenset({"timestamp", "level", "message", "logger", "_aws", "error", "request_id"})


def logs(
    sources: Sources = None,
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

    places = chosen(sources, log_sources(deployed), "SOURCE")

    def read() -> list[Line]:
        logged = read_lines(deployed, places, after, key)
        return [line for line in logged if everything or not line.bookkeeping]

    shown = show(read())
    if not shown and not follow:
        err.print(f"Nothing was logged in the last {since}" + (f" about {key}." if key else "."))
    while follow:
        time.sleep(FOLLOW_POLL_SECONDS)
        shown |= show(line for line in read() if line not in shown)


def read_lines(
    deployed: Deployment, places: Mapping[str, str], after: datetime, key: str | None
) -> list[Line]:
    """The lines of some log sources after a moment, by time; with `key`, those about one upload."""
    logged = (line for name, place in places.items() for line in lines(deployed, name, place, after))
    about = (line for line in logged if key is None or line.mentions(key))
    return sorted(about, key=lambda line: line.when)  # stable: a source keeps its order


def show(logged: Iterable[Line]) -> set[Line]:
    """Print lines and return them."""
    printed = set()
    for line in logged:
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
    text = error.get("traceback") or f"{error.get('type')}: {error.get('message')}"
    return "\n" + "\n".join(f"    {line}" for line in str(text).rstrip().splitlines())
