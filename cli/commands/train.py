"""The command `train`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.aws import reports
from cli.aws.job_outputs import output_uri, read_document
from cli.aws.releases import APPROVED, approval, wait_until_live
from cli.aws.runs import Run, watch
from cli.aws.session import Deployment, connect, deployment
from cli.aws.uploads import upload_training
from cli.kit.errors import CliError
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.kit.paths import display
from cli.views.evaluation import evaluation_text
from cli.views.progress import StepsDisplay
from cli.views.terminal import err, out
from cli.views.validation import findings
from contract.failures import Cause
from contract.layout import TRAINING_PREFIX
from contract.names.jobs import EVALUATION_FILE, REPORT_PAGE, Folder, Job
from contract.names.outputs import START_TRAINING, Output

EXAMPLES = examples(
    ("./millrace train adult.csv", "upload a table, train on all that was uploaded, release"),
    ("./millrace train", "train on what lies in the bucket already"),
    ("./millrace train --again", "the same data and code, after a run that failed"),
    ("./millrace train --environment prod --model income --no-wait", "start only"),
)

Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FILE",
        help="Tables to put into training/: CSV, JSON Lines or Parquet, plain or in gzip.",
        show_default=False,
    ),
]
Again = Annotated[
    bool, typer.Option("--again", help="Also where a run of this code on this data ended without a model.")
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Watch the run and the release.")]


@dataclass(frozen=True, kw_only=True)
class Started:
    """The answer of start_training: one run of the deployed code on one dataset version."""

    dataset_version: str
    run_id: str
    execution_arn: str
    already_started: bool
    already_registered: str = ""
    """The model package that this code made of this data before; then no run was started."""


def train(
    files: Files = None,
    environment: Environment = LOCAL,
    model: Model = None,
    again: Again = False,
    wait: Wait = True,
    port: Port = DEFAULT_PORT,
) -> None:
    """Train on everything under training/ and watch: the pipeline's steps, the metrics, the release."""
    deployed = deployment(connect(environment, port), model)
    for file in files or []:
        uploaded = upload_training(deployed, file)
        err.print(escape(f"Uploaded {file}." if uploaded else f"{file} is already there, unchanged."))
    started = start(deployed, again=again)
    describe(started, again=again)
    if wait and started.execution_arn:
        run = follow(deployed, started.execution_arn)
        release(deployed, run)


def start(deployed: Deployment, *, again: bool = False) -> Started:
    """Pin the dataset and start a run, unless this code was trained on it; `again` starts another
    where the last ended, unless what comes of it is registered.

    Raises:
        CliError: there is nothing to train on, or the function failed.
    """
    response = deployed.aws.functions.invoke(
        FunctionName=deployed[START_TRAINING], Payload=json.dumps({"again": again}).encode()
    )
    payload: dict[str, Any] = json.loads(response["Payload"].read())
    if response.get("FunctionError"):
        raise CliError(
            f"no run was started: {payload.get('errorMessage', payload)}. See ./millrace logs train."
        )
    return Started(**payload)


def describe(started: Started, *, again: bool = False) -> None:
    """Say which run of which dataset this is."""
    if started.already_registered:
        version = version_of(started.already_registered)
        out.print(
            f"{version} was made from this data by this code, and would be the same again. "
            "No run was started."
        )
        return
    what = f"run {started.run_id[:12]} of dataset {started.dataset_version[:12]}"
    if started.already_started:
        hint = "The run is still in progress." if again else "(If it failed: --again.)"
        out.print(f"This code was already started on this data: {what}. {hint}")
    else:
        out.print(f"Started {what}.")


def follow(deployed: Deployment, execution_arn: str) -> Run:
    """Show a run's steps until it ended, then the model's metrics.

    Raises:
        CliError: a step failed or a gate was missed; it says why.
    """
    try:
        with StepsDisplay() as steps:
            run = watch(deployed.aws, execution_arn, steps.show)
    except KeyboardInterrupt:
        err.print(f"The run is still in progress: see {deployed.command('status')}.", soft_wrap=True)
        raise
    for step in run.steps:
        if step.name == Job.EVALUATE and step.status == "Succeeded":
            place = output_uri(deployed.aws, step.job, Folder.EVALUATION)
            out.print(evaluation_text(read_document(deployed.aws, f"{place}/{EVALUATION_FILE}")))
            page = reports.fetch(deployed.aws, f"{place}/{REPORT_PAGE}")
            out.print(f"The model's report: {display(page)}", soft_wrap=True)
    for line in findings(deployed.aws, run):
        out.print(line, soft_wrap=True)
    if run.status != "Succeeded":
        raise CliError("\n".join(why_none(deployed, run)))
    out.print(f"Registered {version_of(run.package_arn)}.")
    return run


def why_none(deployed: Deployment, run: Run) -> Iterator[str]:
    """Yield the reasons for which a run ended without a model, and what to do."""
    yield "the run ended without a model."
    yield from run.failures or [run.status]
    if any(step.reason.startswith(f"{Cause.DATA}:") for step in run.steps):
        yield "Upload the corrected file under the same name, or take one out of the data:"
        yield f"  aws s3 rm s3://{deployed[Output.DATA_BUCKET]}/{TRAINING_PREFIX}<file>"
    yield f"The jobs' logs: {deployed.command('logs jobs')}"


def release(deployed: Deployment, run: Run) -> None:
    """Wait until the registered model is live, or say how a person approves it.

    Raises:
        CliError: the release failed.
    """
    status = approval(deployed, run.package_arn)
    if status != APPROVED:
        number = run.package_arn.rpartition("/")[2]
        command = deployed.command(f'models approve {number} --note "why"')
        out.print(f"It is {status}. See its report; whoever may approve it releases it with:")
        out.print(f"  {command}", style="cyan", soft_wrap=True)
        return
    with err.status("Releasing"):
        live = wait_until_live(deployed, run.package_arn)
    where = f" on {live.endpoint}" if live.endpoint else ""
    out.print(f"Live: [bold]{live.model_version}[/bold]{where}, since {live.released_at}.")


def version_of(package_arn: str) -> str:
    """A model package's group and version, such as `millrace-local-tumor/3`."""
    return package_arn.partition("model-package/")[2]
