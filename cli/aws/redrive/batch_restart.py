"""Batches of large uploads that failed, started again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from cli.aws.releases import FAILED
from cli.aws.session import Deployment
from cli.kit.errors import error_code
from contract import layout
from contract.events import Upload
from contract.names.batch import INPUT
from contract.names.outputs import Output


def restart(deployed: Deployment, machine_arn: str, report: Callable[[str], object]) -> int:
    """Start the batches again that failed, run no more and have no outcome; how many."""
    ended = _executions(deployed, machine_arn, sorted(FAILED))
    running = _executions(deployed, machine_arn, ["RUNNING"])
    broken = [batch for batch in ended if batch not in running and not _is_settled(deployed, batch)]
    for number, batch in enumerate(broken):
        report(f"{number} of {len(broken)} started")
        _start(deployed, machine_arn, batch, attempt=ended[batch])
    return len(broken)


def _executions(deployed: Deployment, machine_arn: str, statuses: Sequence[str]) -> Counter[str]:
    """Count the executions of each batch with a status. They are named after it, and after the attempt."""
    pages = deployed.aws.stepfunctions.get_paginator("list_executions")
    return Counter(
        layout.batch_of(execution["name"])
        for status in statuses
        for page in pages.paginate(
            stateMachineArn=machine_arn,
            statusFilter=status,  # type: ignore[arg-type]  # of three literals
        )
        for execution in page["executions"]
    )


def _start(deployed: Deployment, machine_arn: str, batch: str, *, attempt: int) -> None:
    try:
        deployed.aws.stepfunctions.start_execution(
            stateMachineArn=machine_arn,
            # The same at each call of this command for the same failure: two at once start one.
            name=layout.batch_execution(batch, attempt),
            input=json.dumps({INPUT: batch}),
        )
    except ClientError as error:
        if error_code(error) != "ExecutionAlreadyExists":
            raise


def _is_settled(deployed: Deployment, batch: str) -> bool:
    """True if the batch's upload has an outcome, or is known no more."""
    s3, key = deployed.aws.s3, layout.batch_upload_key(batch)
    try:
        response = s3.get_object(Bucket=deployed[Output.ARTIFACTS_BUCKET], Key=key)
    except ClientError as error:
        if error_code(error) != "NoSuchKey":
            raise
        return True
    upload = Upload.from_json(response["Body"].read())
    places = (
        layout.scored_stem(upload.key, upload.version_id),
        layout.unscorable_key(upload.key, upload.version_id),
    )
    results = deployed[Output.RESULTS_BUCKET]
    return any(s3.list_objects_v2(Bucket=results, Prefix=place, MaxKeys=1)["KeyCount"] for place in places)
