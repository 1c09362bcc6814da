"""Uploads that are too large for one call: the same result, by another way."""

from __future__ import annotations

import io
import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.kit import samples
from contract import layout
from contract.serving import MAX_REQUEST_BYTES
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
    said = tumor.laptop.millrace("logs", "batch", "--model", tumor.name)
    assert "IsAssembled" in said
    assert "parts" in said, "the log of the job that split"


def test_parquet_beyond_one_request_comes_back_as_parquet(tumor: Model) -> None:
    header, rows = samples.tumors()
    copies = 30
    columns: dict[str, Any] = {
        name: [float(row[n]) for row in rows] * copies for n, name in enumerate(header[:-1])
    }
    number = len(rows) * copies
    columns["scan"] = list(range(number))
    columns["note"] = [random.Random(n).randbytes(400) for n in range(number)]
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, row_group_size=5000)
    assert len(file.getvalue()) > MAX_REQUEST_BYTES
    key = "score/by-batch/large.parquet"
    version = tumor.upload(key, file.getvalue())
    assert execution(tumor, key, version)["status"] == "SUCCEEDED"
    result = pq.read_table(io.BytesIO(tumor._outcome(layout.scored_key(key, version, "parquet"), 5)))
    assert result.select(list(columns)).equals(pa.table(columns))
    assert result["prediction"].null_count == 0
    assert set(result["model_version"].to_pylist()) == {tumor.live()["model_version"]}


def test_what_the_model_has_no_columns_of_is_unscorable(tumor: Model, large_is_a_mebibyte: None) -> None:
    key = "score/by-batch/columns.csv"
    version = tumor.upload(key, table(["scan"], [[n] for n in range(200_000)]))
    refusal = tumor.refusal(key, version)
    assert (refusal["code"], refusal["line"]) == ("missing_column", 1)
    assert execution(tumor, key, version)["status"] == "SUCCEEDED"


def processes(folder: Path, *, command: str, variable: str) -> list[int]:
    """Process ids of the cloud's jobs or servers that run a command and have a variable."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            variables = (process / "environ").read_bytes()
        except OSError:
            continue
        if command.encode() in words and variable.encode() in variables and str(folder).encode() in variables:
            found.append(int(process.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")
def test_a_killed_job_is_done_again_and_so_are_the_parts_of_a_killed_transform(
    tumor: Model, large_is_a_mebibyte: None
) -> None:
    key, body = "score/by-batch/killed.csv", tumors(60)
    version = tumor.upload(key, body)
    folder = tumor.laptop.folder
    for command, variable in (("split", "MILLRACE_BATCH_FOLDER="), ("serve", "SAGEMAKER_BATCH=true")):
        [running] = eventually(
            lambda command=command, variable=variable: processes(folder, command=command, variable=variable),  # type: ignore[misc]
            within=30,
            what=f"{command} runs",
        )
        os.kill(running, signal.SIGKILL)

    ended = execution(tumor, key, version)
    assert ended["status"] == "SUCCEEDED"
    job = json.loads(ended["output"])["job"]
    assert (job["attempt"], job["round"]) == (2, 2)
    rows = tumor.result(key, version, within=5)
    assert [row["scan"] for row in rows] == [str(n) for n in range(body.count(b"\n") - 1)]
    assert all(row["prediction"] for row in rows)


def test_parts_that_nobody_answers_page_and_can_be_redriven(tumor: Model, large_is_a_mebibyte: None) -> None:
    s3, bucket = tumor.laptop.client("s3"), tumor.outputs["ArtifactsBucket"]
    key, body = "score/by-batch/lost-part.csv", tumors(30)
    version = tumor.upload(key, body)
    batch = layout.batch_id(key, version)
    folder = f"{layout.BATCH_PREFIX}{batch}/{batch}/"

    def first_round() -> Any:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}rounds/1")
        return found.get("Contents")

    eventually(first_round, within=30, what="the upload is split")
    _, *parts = json.loads(s3.get_object(Bucket=bucket, Key=f"{folder}rounds/1")["Body"].read())
    # The last part is read last: the transform cannot have it yet.
    s3.delete_object(Bucket=bucket, Key=f"{folder}parts/{parts[-1]}")

    failed = execution(tumor, key, version)
    assert (failed["status"], failed["error"]) == ("FAILED", "PartsNotScored")
    assert tumor.outcomes("by-batch/lost-part.csv") == []
    tumor.page("batch-failed")

    tumor.laptop.millrace("redrive", "batch", "--model", tumor.name)
    rows = tumor.result(key, version)
    assert [row["scan"] for row in rows] == [str(n) for n in range(body.count(b"\n") - 1)]
