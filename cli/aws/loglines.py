"""Log lines of the loop's parts, wherever AWS keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.aws.runs import read_run
from cli.aws.session import Deployment
from cli.errors import error_code

FUNCTIONS = {
    "score": "ScoreUploadFunction",
    "reconcile": "ReconcileUploadsFunction",
    "train": "StartTrainingFunction",
    "failures": "ReportFailureFunction",
    "verify": "VerifyPackageFunction",
}
BATCH_JOB_GROUPS = ("/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TransformJobs")
JOB_GROUPS = ("/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs")
RECENT_RUNS = 5
RECENT_EXECUTIONS = 5


@dataclass(frozen=True)
class Line:
    """One line of one source. `identity` tells it from others of that moment and text."""

    when: datetime
    source: str
    text: str
    identity: str = field(repr=False)

    @property
    def fields(self) -> dict[str, Any] | None:
        """The object that a structured line writes, else None."""
        try:
            document = json.loads(self.text)
        except ValueError:
            return None
        return document if isinstance(document, dict) else None

    @property
    def bookkeeping(self) -> bool:
        """Whether the line is for machines: Lambda's frame of an invocation, or metrics."""
        return self.text.startswith(("START RequestId: ", "END RequestId: ")) or "_aws" in (self.fields or {})

    def mentions(self, key: str) -> bool:
        """Whether the line is about an upload."""
        fields = self.fields
        return (
            key in self.text
            if fields is None
            else fields.get("key") == key or key in fields.get("message", "")
        )


def of_function(deployed: Deployment, source: str, after: datetime) -> Iterator[Line]:
    """What a Lambda function logged after a moment."""
    yield from _group(deployed, source, f"/aws/lambda/{deployed[FUNCTIONS[source]]}", after)


def of_endpoint(deployed: Deployment, source: str, after: datetime) -> Iterator[Line]:
    """What the model server logged after a moment; nothing where there is no endpoint."""
    if "Endpoint" in deployed.outputs:
        yield from _group(deployed, source, f"/aws/sagemaker/Endpoints/{deployed['Endpoint']}", after)


def of_jobs(deployed: Deployment, _source: str, after: datetime) -> Iterator[Line]:
    """What the jobs of the pipeline's last runs logged after a moment; the source is the step."""
    summaries = deployed.aws.sagemaker.list_pipeline_executions(
        PipelineName=deployed["Pipeline"],
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=RECENT_RUNS,
    )["PipelineExecutionSummaries"]
    for summary in summaries:
        for step in read_run(deployed.aws, summary["PipelineExecutionArn"]).steps:
            if step.job:
                for group in JOB_GROUPS:
                    yield from _group(deployed, step.name, group, after, stream_prefix=step.job)


def of_releases(deployed: Deployment, source: str, after: datetime) -> Iterator[Line]:
    """What the last releases did after a moment: each state entered, each failure."""
    for arn, events in _histories(deployed, "ReleaseStateMachineArn"):
        yield from _told(arn, events, source, after)


def of_batches(deployed: Deployment, source: str, after: datetime) -> Iterator[Line]:
    """What the last executions of the batch path did after a moment, and what their jobs logged."""
    for arn, events in _histories(deployed, "BatchStateMachineArn"):
        yield from _told(arn, events, source, after)
        for job in filter(None, map(_jobs_of, events)):
            for group in BATCH_JOB_GROUPS:
                yield from _group(deployed, source, group, after, stream_prefix=f"{job}-")


def _histories(deployed: Deployment, machine: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The last executions of a state machine, by ARN, with all that happened in each."""
    functions = deployed.aws.stepfunctions
    executions = functions.list_executions(stateMachineArn=deployed[machine], maxResults=RECENT_EXECUTIONS)[
        "executions"
    ]
    for execution in executions:
        arn = execution["executionArn"]
        pages = functions.get_paginator("get_execution_history").paginate(executionArn=arn)
        yield arn, [dict(event) for page in pages for event in page["events"]]


def _told(arn: str, events: Iterable[dict[str, Any]], source: str, after: datetime) -> Iterator[Line]:
    for event in events:
        text = machine_event(event)
        if text and event["timestamp"] > after:
            yield Line(event["timestamp"], source, text, f"{arn}/{event['id']:05}")


def _jobs_of(event: dict[str, Any]) -> str:
    """How the names of an execution's jobs begin, where it enters the first of the states that make them."""
    entered = event.get("stateEnteredEventDetails", {})
    return str(json.loads(entered["input"])["job"]["name"]) if entered.get("name") == "Split" else ""


def machine_event(event: dict[str, Any]) -> str:
    """What an event of a state machine's history says, or nothing where it is bookkeeping."""
    details: dict[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails") and isinstance(value, dict)),
        {},
    )
    if "error" in details or "cause" in details:
        return f"{event['type']}: {details.get('error', '')} {details.get('cause', '')}".strip()
    if event["type"].endswith("StateEntered"):
        return str(details.get("name", ""))
    return str(event["type"]) if event["type"].startswith("Execution") else ""


SOURCES = {
    **dict.fromkeys(FUNCTIONS, of_function),
    "jobs": of_jobs,
    "release": of_releases,
    "batch": of_batches,
    "endpoint": of_endpoint,
}


def _group(
    deployed: Deployment, source: str, group: str, after: datetime, stream_prefix: str = ""
) -> Iterator[Line]:
    pages = deployed.aws.logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int(after.timestamp() * 1000),
        **({"logStreamNamePrefix": stream_prefix} if stream_prefix else {}),  # type: ignore[arg-type]
    )
    try:
        for event in (event for page in pages for event in page["events"]):
            stream = event["logStreamName"]
            if stream.startswith(stream_prefix):  # the emulator gives all streams
                when = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                identity = event.get("eventId") or f"{group}/{stream}"
                yield Line(when, source, event["message"].rstrip(), identity)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":  # nothing was logged there yet
            raise
