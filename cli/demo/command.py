"""The command `demo`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from cli.aws.results import upload_to_score, wait_for_outcome
from cli.aws.runs import Run, read_run
from cli.aws.session import Deployment, connect, deployment
from cli.aws.uploads import upload_training
from cli.commands.cloud import up
from cli.commands.deploy import deploy_model, prepare
from cli.commands.pages import pages_table, wait_for_page
from cli.commands.train import describe, follow, release, start
from cli.demo.files import BAD_ROWS, DemoFiles, write_files
from cli.demo.timeline import Timeline
from cli.kit.errors import CliError
from cli.kit.options import DEFAULT_PORT, LOCAL, Port, examples
from cli.kit.paths import STATE, display
from cli.views.terminal import err, out
from contract.names.metrics import UNSCORABLE_ALARM
from contract.names.outputs import Output
from contract.serving import MODEL_VERSION, PREDICTION, PROBABILITY, REJECTED

EXAMPLES = examples(
    ("./millrace demo", "train, release, score and page, on this laptop"),
    ("./millrace demo --port 4577", "on another local cloud"),
)

MODEL = "tumor"
SHOWN_COLUMNS = ("mean_radius", "worst_area", PREDICTION, PROBABILITY, REJECTED)
SHOWN_ROWS = 4
PAGE_TIMEOUT_SECONDS = 120.0
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def demo(port: Port = DEFAULT_PORT) -> None:
    """Run the whole loop on the local cloud: deploy, train, release, score, page. Safe to run again."""
    timeline = Timeline(out)
    with timeline.stage("Start the local cloud"):
        up(port)
    aws = connect(LOCAL, port)
    with timeline.stage("cdk bootstrap"):
        out.print("Bootstrapped." if prepare(aws, port, asked=False) else "Already bootstrapped.")
    with timeline.stage(f"cdk deploy, model {MODEL}"):
        deploy_model(aws, MODEL, port=port)
        deployed = deployment(aws, MODEL)
        out.print(
            f"Deployed: two stacks, {len(deployed.alarms())} alarms, bucket {deployed[Output.DATA_BUCKET]}."
        )
    files = write_files(STATE / "demo")
    with timeline.stage("Upload a table: train, test, register"):
        run = _train(deployed, files)
    with timeline.stage("Release to the endpoint"):
        release(deployed, run)
    with timeline.stage("Upload 100 rows, two of them bad: score"):
        _score(deployed, files)
    with timeline.stage("Upload a letter, which is no table: page"):
        _page(deployed, files)
    out.print("\n[bold]Time by stage[/bold]")
    out.print(timeline.table())
    _say_what_next(deployed, files, port)


def _train(deployed: Deployment, files: DemoFiles) -> Run:
    upload_training(deployed, files.history)
    started = start(deployed)
    if started.already_started and read_run(deployed.aws, started.execution_arn).status == "Failed":
        started = start(deployed, again=True)
    describe(started)
    return follow(deployed, started.execution_arn)


def _score(deployed: Deployment, files: DemoFiles) -> None:
    outcome = wait_for_outcome(deployed, upload_to_score(deployed, files.patients))
    if outcome.rows is None:
        raise CliError(f"{files.patients.name} was not scored: {outcome.unscorable}")
    out.print(_scored_table(outcome.rows))
    scored = [i for i, row in enumerate(outcome.rows) if not row[REJECTED]]
    right = sum(outcome.rows[i][PREDICTION] == files.diagnoses[i] for i in scored)
    version = outcome.rows[0][MODEL_VERSION]
    out.print(f"{len(outcome.rows)} rows came back in order, {len(scored)} of them scored by {version}.")
    out.print(f"{right} of the {len(scored)} agree with the diagnoses, which the model has never seen.")


def _scored_table(rows: Sequence[dict[str, str]]) -> Table:
    table = Table("row", *SHOWN_COLUMNS, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for number in sorted({*range(SHOWN_ROWS), *BAD_ROWS}):
        style = "yellow" if rows[number][REJECTED] else ""
        table.add_row(str(number + 1), *(_shown(rows[number][name]) for name in SHOWN_COLUMNS), style=style)
    return table


def _shown(text: str) -> str:
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return escape(text)


def _page(deployed: Deployment, files: DemoFiles) -> None:
    already = any(UNSCORABLE_ALARM in a["AlarmName"] for a in deployed.alarms() if a["StateValue"] == "ALARM")
    after = LONG_AGO if already else datetime.now(UTC)
    outcome = wait_for_outcome(deployed, upload_to_score(deployed, files.letter))
    if outcome.unscorable is None:
        raise CliError(f"{files.letter.name} was scored, though it is no table.")
    reason = outcome.unscorable
    out.print(
        escape(f"{outcome.key} says {reason['code']}: {reason['message'].rstrip('.')}. {reason['remedy']}")
    )
    with err.status("Waiting for the page"):
        pages = wait_for_page(deployed, after=after, timeout=PAGE_TIMEOUT_SECONDS, alarm=UNSCORABLE_ALARM)
    out.print(pages_table(pages[-1:]))
    if already:
        out.print("That alarm was still on, from an upload shortly before: one page for both.")


def _say_what_next(deployed: Deployment, files: DemoFiles, port: int) -> None:
    at = "" if port == DEFAULT_PORT else f" --port {port}"
    data, results = deployed[Output.DATA_BUCKET], deployed[Output.RESULTS_BUCKET]
    steps = (
        (f'eval "$(./millrace env{at})"', "this shell's aws, boto3 and cdk now use the local cloud"),
        (f"aws s3 cp {display(files.patients)} s3://{data}/score/mine.csv", "score a file"),
        (f"aws s3 ls --recursive s3://{results}/scored/", "and find its result"),
        (f"aws s3 cp {display(files.truth)} s3://{data}/training/", "train on more rows, and release"),
        (f"./millrace status{at}", "what is live and how it is"),
        (f"./millrace pages --model {MODEL}{at}", "who was paged, and why"),
        (f"./millrace down{at}", "stop it all"),
    )
    out.print("\n[bold]The cloud is still running. Try next:[/bold]")
    for command, what in steps:
        out.print(f"  [cyan]{escape(command)}[/cyan]  [dim]# {what}[/dim]", soft_wrap=True)
