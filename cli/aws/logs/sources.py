"""The log sources in a model's stack outputs: log groups, state machines and pipelines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cli.aws.logs.lines import Line, of_group
from cli.aws.runs import job_name, read_run
from cli.aws.session import Deployment
from cli.kit.errors import CliError
from contract.names.outputs import Kind, of_kind

JOB_GROUPS = tuple(f"/aws/sagemaker/{kind}Jobs" for kind in ("Processing", "Training", "Transform"))
RECENT_RUNS = 5
RECENT_EXECUTIONS = 5


def log_sources(deployed: Deployment) -> dict[str, str]:
    """The log sources of a model, by name: each a log group, or the ARN of a state machine or pipeline.

    Raises:
        CliError: the deployed stacks are older than this command.
    """
    sources = of_kind(deployed.outputs, Kind.LOG_SOURCE)
    if not sources:
        raise deployed.outdated("log sources")
    return sources


def lines(deployed: Deployment, source: str, place: str, after: datetime) -> Iterator[Line]:
    """Yield the lines that a source logged after a moment.

    Raises:
        CliError: the stacks are newer than this command and name a place that it does not know.
    """
    if place.startswith("/"):
        yield from of_group(deployed.aws, source, place, after)
    elif ":stateMachine:" in place:
        yield from of_executions(deployed, source, place, after)
    elif ":pipeline/" in place:
        yield from of_pipeline(deployed, place, after)
    else:
        raise CliError(f"log source {source} is {place}, which this version cannot read: update the code.")


def of_pipeline(deployed: Deployment, pipeline_arn: str, after: datetime) -> Iterator[Line]:
    """Yield the lines of the pipeline's last runs after a moment; the source is the step."""
    summaries = deployed.aws.sagemaker.list_pipeline_executions(
        PipelineName=pipeline_arn.rpartition("/")[2],
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=RECENT_RUNS,
    )["PipelineExecutionSummaries"]
    for summary in summaries:
        for step in read_run(deployed.aws, summary["PipelineExecutionArn"]).steps:
            if step.job:
                yield from _of_job(deployed, step.name, job_name(deployed.aws, step), after)


def of_executions(deployed: Deployment, source: str, machine_arn: str, after: datetime) -> Iterator[Line]:
    """Yield the events of a state machine's last executions after a moment, and the lines of their jobs."""
    functions = deployed.aws.stepfunctions
    executions = functions.list_executions(stateMachineArn=machine_arn, maxResults=RECENT_EXECUTIONS)
    for arn in (execution["executionArn"] for execution in executions["executions"]):
        jobs: set[str] = set()
        for page in functions.get_paginator("get_execution_history").paginate(executionArn=arn):
            for each in page["events"]:
                event: dict[str, Any] = dict(each)
                jobs |= _jobs_of(event)
                text = event_text(event)
                if text and event["timestamp"] > after:
                    yield Line(event["timestamp"], source, text, f"{arn}/{event['id']:05}")
        for job in sorted(jobs):
            yield from _of_job(deployed, source, f"{job}-", after)


def event_text(event: dict[str, Any]) -> str:
    """An event of a state machine's history as a line, or nothing where it is bookkeeping."""
    details: dict[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails") and isinstance(value, dict)),
        {},
    )
    if "error" in details or "cause" in details:
        return f"{event['type']}: {details.get('error', '')} {details.get('cause', '')}".strip()
    if event["type"].endswith("StateEntered"):
        return str(details.get("name", ""))
    return str(event["type"]) if event["type"].startswith("Execution") else ""


def _jobs_of(event: dict[str, Any]) -> set[str]:
    """Return the beginning of the names of an execution's jobs, which its states keep as `$.job.name`."""
    entered = json.loads(event.get("stateEnteredEventDetails", {}).get("input", "null"))
    job = entered.get("job") if isinstance(entered, dict) else None
    return {str(job["name"])} if isinstance(job, dict) and "name" in job else set()


def _of_job(deployed: Deployment, source: str, job: str, after: datetime) -> Iterator[Line]:
    for group in JOB_GROUPS:
        yield from of_group(deployed.aws, source, group, after, stream_prefix=job)
