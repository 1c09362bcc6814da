"""The command `status`."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError
from rich.markup import escape
from rich.table import Table

from cli.aws import reports
from cli.aws.batch_runs import running_batches
from cli.aws.releases import FAILED, live_version
from cli.aws.runs import read_run
from cli.aws.session import (
    LOOP,
    STORAGE,
    Deployment,
    connect,
    deploy_command,
    deployed_models,
    deployment,
    stack_name,
)
from cli.kit.errors import error_message
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Model, Port, examples
from cli.kit.paths import display
from cli.views.terminal import facts, out
from contract.failures import with_remedy
from contract.names.outputs import RELEASE_MACHINE, Kind, Output, of_kind

EXAMPLES = examples(
    ("./millrace status", "every model on the local cloud"),
    ("./millrace status --environment prod --model income", "one model in an account"),
)

RUNS_SHOWN = 3
STYLES = {"Succeeded": "green", "Executing": "cyan", "Failed": "red", "InService": "green"}


def status(environment: Environment = LOCAL, model: Model = None, port: Port = DEFAULT_PORT) -> None:
    """Show what is deployed and how it is: live version, endpoint, last runs, queues, alarms."""
    aws = connect(environment, port)
    if environment == LOCAL:
        out.print(f"Local cloud: running at {aws.options['endpoint_url']}")
    models = [model] if model else deployed_models(aws)
    for name in models:
        out.print(report(deployment(aws, name)))
    if not models:
        out.print(f"No model is deployed in {environment}: {deploy_command(environment)}")


def report(deployed: Deployment) -> Table:
    """The state of one model, a fact a line."""
    table = facts(4)
    table.add_row(f"[bold]{deployed.model}[/bold]")
    sections = {
        "stacks": _stacks(deployed),
        "live": _live(deployed),
        "releases": _release(deployed),
        "runs": _runs(deployed),
        "batches": _batches(deployed),
        "queues": queues(deployed),
        "alarms": _alarms(deployed),
    }
    for title, section in sections.items():
        for i, fact in enumerate(section):
            table.add_row("", title if i == 0 else "", *fact)
    return table


def _stacks(deployed: Deployment) -> Iterator[tuple[str, str]]:
    for part in (STORAGE, LOOP):
        name = stack_name(deployed.aws.environment, deployed.model, part)
        stack = deployed.aws.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        yield name, _styled(stack["StackStatus"], "red" if "FAILED" in stack["StackStatus"] else "green")


def _live(deployed: Deployment) -> Iterator[tuple[str, str]]:
    live = live_version(deployed)
    if live is None:
        yield "no version yet", "upload a table to training/, or ./millrace train FILE"
        return
    yield live.model_version, f"since {live.released_at}"
    if live.endpoint:
        yield f"endpoint {live.endpoint}", _styled(*_endpoint(deployed, live.endpoint))
    else:
        yield "no endpoint", "every upload goes through the batch path"


def _endpoint(deployed: Deployment, name: str) -> tuple[str, str]:
    try:
        state = deployed.aws.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
    except ClientError as error:
        if "Could not find" not in error_message(error):
            raise
        return "does not exist", "red"
    return state, STYLES.get(state, "yellow")


def _release(deployed: Deployment) -> Iterator[tuple[str, str]]:
    """The last release, if it failed, and why."""
    functions = deployed.aws.stepfunctions
    executions = functions.list_executions(stateMachineArn=deployed[RELEASE_MACHINE], maxResults=1)
    for last in executions["executions"]:
        if last["status"] in FAILED:
            yield f"the last, {last['startDate']:%Y-%m-%d %H:%M}", _styled(last["status"], "red")
            described = functions.describe_execution(executionArn=last["executionArn"])
            yield "", escape(with_remedy(described.get("cause", "")))


def _batches(deployed: Deployment) -> Iterator[tuple[str, str]]:
    """How many batches of large uploads run, and which of them wait for instances."""
    for running in running_batches(deployed):
        if running.waits_for:
            yield running.batch, _styled(with_remedy(running.waits_for), "red")
        else:
            yield running.batch, "running"


def _runs(deployed: Deployment) -> Iterator[tuple[str, str]]:
    runs = deployed.aws.sagemaker.list_pipeline_executions(
        PipelineName=deployed[Output.PIPELINE],
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=RUNS_SHOWN,
    )["PipelineExecutionSummaries"]
    for run in runs:
        name = run.get("PipelineExecutionDisplayName", run["PipelineExecutionArn"].rpartition("/")[2])
        state = run["PipelineExecutionStatus"]
        yield f"{name}, {run['StartTime']:%Y-%m-%d %H:%M}", _styled(state, STYLES.get(state, "yellow"))
        if state == "Failed":
            yield from _failure(deployed, run["PipelineExecutionArn"])
    if not runs:
        yield "none yet", ""


def _failure(deployed: Deployment, execution_arn: str) -> Iterator[tuple[str, str]]:
    run = read_run(deployed.aws, execution_arn)
    yield from (("", escape(why)) for why in run.failures)
    if page := reports.of_failure(deployed.aws, run):
        yield "", f"its report: {escape(display(page))}"


def queues(deployed: Deployment) -> Iterator[tuple[str, str]]:
    """Return the number of messages in each queue and in its dead letters."""
    queues = of_kind(deployed.outputs, Kind.QUEUE)
    dead_letters = of_kind(deployed.outputs, Kind.DEAD_LETTER_QUEUE)
    for name in sorted({*queues, *dead_letters}):
        if name in queues:
            yield name, _depth(deployed, queues[name])[1]
        if name in dead_letters:
            waiting, text = _depth(deployed, dead_letters[name])
            yield f"{name}, dead letters", _styled(text, "red" if waiting else "")


def _depth(deployed: Deployment, queue_url: str) -> tuple[int, str]:
    """Return the number of messages that wait in a queue, and a text about all of them."""
    attributes = deployed.aws.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    waiting = int(attributes["ApproximateNumberOfMessages"])
    return waiting, f"{waiting} waiting, {attributes['ApproximateNumberOfMessagesNotVisible']} in flight"


def _alarms(deployed: Deployment) -> Iterator[tuple[str, str]]:
    alarms = deployed.alarms()
    firing = [alarm for alarm in alarms if alarm["StateValue"] == "ALARM"]
    for alarm in firing:
        since = f"{alarm['StateUpdatedTimestamp']:%Y-%m-%d %H:%M:%S}"
        yield alarm["AlarmName"], _styled(f"ALARM since {since}", "red")
    if not firing:
        yield f"none of {len(alarms)} in ALARM", ""


def _styled(text: str, style: str) -> str:
    return f"[{style}]{escape(text)}[/{style}]" if style else escape(text)
