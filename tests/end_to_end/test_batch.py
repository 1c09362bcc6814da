"""Uploads that are too large for one call: the same result, by another way."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import samples
from contract import layout
from tests.end_to_end.laptop import Model, eventually, table

pytestmark = pytest.mark.local_cloud


def tumors(copies: int) -> bytes:
    """A table with a column of its own, by which every row is another."""
    header, rows = samples.tumors()
    body = [[n, *row[:-1]] for n, row in enumerate(rows * copies)]
    return table(["scan", *header[:-1]], body)


@pytest.fixture
def large_is_a_mebibyte(tumor: Model) -> Iterator[None]:
    """The function leaves what is larger to the batch path."""
    functions, name = tumor.laptop.client("lambda"), tumor.outputs["ScoreUploadFunction"]
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    after = {**before, "MAX_UPLOAD_BYTES": str(1024 * 1024)}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": after})
    yield
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def execution(model: Model, key: str, version_id: str) -> Any:
    """The execution that scored an upload, once it has ended."""
    machine = model.outputs["BatchStateMachineArn"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{layout.batch_id(key, version_id)}"
    states = model.laptop.client("stepfunctions")

    def ended() -> Any:
        try:
            found = states.describe_execution(executionArn=arn)
        except states.exceptions.ExecutionDoesNotExist:
            return None
        return found if found["status"] != "RUNNING" else None

    return eventually(ended, within=60, what=f"the batch of {key} ends")


def test_both_paths_give_the_same_bytes_and_doubled_events_one_result(
    tumor: Model, request: pytest.FixtureRequest
) -> None:
    body = tumors(40)
    version = tumor.upload("score/by-endpoint.csv", body)
    expected = tumor._outcome(layout.scored_key("score/by-endpoint.csv", version), 60)
    request.getfixturevalue("large_is_a_mebibyte")

    key = "score/by-batch/all.csv"
    version = tumor.upload(key, body)
    event = {"source": "aws.s3", "detail-type": "Object Created"}
    detail = {"bucket": {"name": tumor.outputs["DataBucket"]}, "object": {"key": key, "version-id": version}}
    for _ in range(3):
        tumor.laptop.client("sqs").send_message(
            QueueUrl=tumor.outputs["ScoreQueueUrl"], MessageBody=json.dumps({**event, "detail": detail})
        )

    assert execution(tumor, key, version)["status"] == "SUCCEEDED"
    assert tumor._outcome(layout.scored_key(key, version), 5) == expected
    eventually(lambda: tumor.waiting() == 0, within=30, what="every message is dealt with")
    assert tumor.outcomes("by-batch/") == [layout.scored_key(key, version)]
    machine = tumor.outputs["BatchStateMachineArn"]
    started = tumor.laptop.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert [e["name"] for e in started].count(layout.batch_id(key, version)) == 1


def test_what_the_model_has_no_columns_of_is_unscorable(tumor: Model, large_is_a_mebibyte: None) -> None:
    key = "score/by-batch/columns.csv"
    version = tumor.upload(key, table(["scan"], [[n] for n in range(200_000)]))
    refusal = tumor.refusal(key, version)
    assert (refusal["code"], refusal["line"]) == ("missing_column", 1)
    assert execution(tumor, key, version)["status"] == "SUCCEEDED"


def servers(folder: Path) -> list[int]:
    """Process ids of the model servers of the cloud's transform jobs."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = environ.read_bytes()
        except OSError:
            continue
        if b"SAGEMAKER_BATCH=true" in variables and str(folder).encode() in variables:
            found.append(int(environ.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")
def test_parts_of_a_killed_transform_are_asked_for_again(tumor: Model, large_is_a_mebibyte: None) -> None:
    key, body = "score/by-batch/killed.csv", tumors(60)
    version = tumor.upload(key, body)
    [server] = eventually(lambda: servers(tumor.laptop.folder), within=30, what="a transform runs")
    os.kill(server, signal.SIGKILL)

    ended = execution(tumor, key, version)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["job"]["round"] == 2
    rows = tumor.result(key, version, within=5)
    assert [row["scan"] for row in rows] == [str(n) for n in range(body.count(b"\n") - 1)]
    assert all(row["prediction"] for row in rows)
