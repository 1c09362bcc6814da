"""The command `datasets`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.aws.dataset_versions import Dataset, datasets
from cli.aws.registry import Version, styled_status, versions
from cli.aws.releases import live_version
from cli.aws.session import Deployment, connect, deployment
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.views.terminal import facts, out

EXAMPLES = examples(
    ("./millrace datasets", "the newest versions: files, rows, and the models trained on them"),
    ("./millrace datasets --limit 100", "more of them"),
    ("./millrace trace 202bd7fb2733", "one of them, with the bytes of each file"),
)
SHORT = 12
NEWEST = 20
FILES_SHOWN = 5

Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many, from the newest.")]


def list_datasets(
    environment: Environment = LOCAL,
    model: Model = None,
    limit: Limit = NEWEST,
    port: Port = DEFAULT_PORT,
) -> None:
    """List a model's dataset versions, their rows, and which models were trained on them."""
    deployed = deployment(connect(environment, port), model)
    listed, older = datasets(deployed, limit=limit)
    if not listed:
        out.print(f"{deployed.model} has no dataset yet: ./millrace train FILE makes one.")
        return
    out.print(datasets_table(deployed, listed))
    if older:
        out.print(f"{older} older: ./millrace datasets --limit {len(listed) + older}")


def datasets_table(deployed: Deployment, listed: Sequence[Dataset]) -> Table:
    """A dataset version a block: its facts, one a line."""
    trained: dict[str, list[Version]] = defaultdict(list)
    for each in versions(deployed)[0]:
        trained[each.dataset_version].append(each)
    live = live_version(deployed)
    table = facts(3)
    for dataset in listed:
        table.add_row(f"[bold]{dataset.version[:SHORT]}[/bold]", dataset.created, _rows(dataset))
        for title, fact in _facts(dataset, trained, live.model_version if live else ""):
            table.add_row(f"  {title}", *fact)
    return table


def _rows(dataset: Dataset) -> str:
    if dataset.rows is None:
        return "[yellow]rows not counted: no run has validated it[/yellow]"
    stopped = "" if dataset.passed else ", [red]stopped by validation[/red]"
    return f"{dataset.rows:,} rows{stopped}"


def _facts(
    dataset: Dataset, trained: Mapping[str, list[Version]], live: str
) -> Iterator[tuple[str, tuple[str, str]]]:
    files = dataset.manifest.objects
    for i, each in enumerate(files[:FILES_SHOWN]):
        yield "" if i else "files", (escape(each.key), f"{each.size:,} bytes")
    if len(files) > FILES_SHOWN:
        yield "", (f"and {len(files) - FILES_SHOWN} more", f"{dataset.size:,} bytes in all")
    models = trained.get(dataset.version, [])
    for i, version in enumerate(models):
        mark = ", [bold green]live[/bold green]" if version.name == live else ""
        yield "" if i else "models", (version.name, styled_status(version) + mark)
    if not models:
        runs = len(dataset.runs)
        yield "models", ("none registered", f"{runs} run{'' if runs == 1 else 's'} started on it")
