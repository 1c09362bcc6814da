"""The monitor's verdicts on a model's versions, and runs of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from botocore.exceptions import ClientError

from cli.aws.session import Deployment
from cli.kit.errors import CliError, error_code
from contract.names.monitoring import VERSIONS_PREFIX, Version
from contract.names.outputs import Kind, Output, output_key


@dataclass(frozen=True, kw_only=True)
class WatchedVersion:
    """One model version as the monitor left it. `since` and `columns` are of a drift that stands."""

    number: int
    verdict: str
    judged: str | None
    since: str | None
    columns: tuple[str, ...]
    evidence: float


def watched_versions(deployed: Deployment) -> list[WatchedVersion]:
    """The versions that predictions were counted of, the newest first."""
    bucket = deployed.outputs[Output.ARTIFACTS_BUCKET]
    pages = deployed.aws.s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=VERSIONS_PREFIX, Delimiter="/"
    )
    numbers = [
        int(item["Prefix"].removeprefix(VERSIONS_PREFIX).rstrip("/"))
        for page in pages
        for item in page.get("CommonPrefixes", [])
    ]
    return [_read(deployed, bucket, number) for number in sorted(numbers, reverse=True)]


def _read(deployed: Deployment, bucket: str, number: int) -> WatchedVersion:
    body = deployed.aws.s3.get_object(Bucket=bucket, Key=Version(number).detection)["Body"].read()
    document = json.loads(body)
    return WatchedVersion(
        number=number,
        verdict=document["verdict"],
        judged=document["judged"],
        since=document["since"],
        columns=tuple(document["named"]),
        evidence=document["evidence"]["total"],
    )


def start_monitor(deployed: Deployment) -> str:
    """Start a run of the monitor, beside its schedule; the execution's name.

    Raises:
        CliError: the deployed stacks have no monitor yet.
    """
    try:
        arn = deployed.outputs[output_key("monitor", Kind.STATE_MACHINE)]
    except KeyError as missing:
        raise CliError("these stacks have no monitor: deploy them again with ./millrace deploy") from missing
    try:
        started = deployed.aws.stepfunctions.start_execution(stateMachineArn=arn, input="{}")
    except ClientError as error:
        if error_code(error) == "StateMachineDoesNotExist":
            raise CliError("the monitor's state machine is gone: deploy again") from error
        raise
    return started["executionArn"].rpartition(":")[2]
