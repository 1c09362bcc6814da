"""A folder of hostile files: each ends as one outcome, for a reason that is true, and no function fails."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pyarrow import parquet

from cli.kit import samples
from contract import layout
from contract.reasons import FileReason
from contract.serving import MODEL_VERSION
from tests.end_to_end.laptop import Model, eventually
from tests.hostile.corpus import corpus
from tests.hostile.files import Hostile, Table

pytestmark = pytest.mark.local_cloud

FUZZED = 2
SEED = "hostile"


def test_every_hostile_file_ends_as_one_outcome_and_no_function_fails(tumor: Model) -> None:
    header, rows = samples.tumors()
    files = corpus(Table(header[:-1], [row[:-1] for row in rows[:8]]), seed=SEED, fuzzed=FUZZED)
    began, errors = datetime.now(UTC), function_errors(tumor)
    with ThreadPoolExecutor(8) as pool:
        versions = dict(
            zip((f.key for f in files), pool.map(lambda f: tumor.upload(f.key, f.body), files), strict=True)
        )
    eventually(
        lambda: len(tumor.outcomes("hostile/")) >= len(files), within=120, what="each file has an outcome"
    )
    eventually(lambda: tumor.waiting() == 0, within=30, what="every message is dealt with")
    assert complaints(tumor, files, versions) == {}
    assert len(tumor.outcomes("hostile/")) == len(files)
    assert function_errors(tumor) == errors
    assert told_as_errors(tumor, since=began) == []


def complaints(model: Model, files: Sequence[Hostile], versions: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the files' outcomes, by the file's key."""
    found: dict[str, list[str]] = {}
    for key in model.outcomes("hostile/"):
        found.setdefault(key.rpartition("/")[2].partition(".")[0], []).append(key)
    told = {file.key: _complaint(model, file, found.get(versions[file.key], [])) for file in files}
    return {key: said for key, said in told.items() if said}


def _complaint(model: Model, file: Hostile, outcomes: Sequence[str]) -> str:
    if len(outcomes) != 1:
        return f"has the outcomes {outcomes}"
    (key,) = outcomes
    body = model.read(key)
    if key.startswith(layout.UNSCORABLE_PREFIX):
        code = FileReason(json.loads(body)["code"])
        return f"is {code}" if file.reasons and code not in file.reasons else ""
    if file.reasons and None not in file.reasons:
        return "was scored"
    rows = _rows(key, body)
    return f"has {rows} rows" if file.rows is not None and rows != file.rows else ""


def _rows(key: str, body: bytes) -> int:
    if key.endswith(".parquet"):
        return int(parquet.read_metadata(io.BytesIO(body)).num_rows)
    body = gzip.decompress(body) if key.endswith(".gz") else body
    text = body.decode("utf-16" if body.startswith(b"\xff\xfe") else "utf-8")
    if ".jsonl" in key:
        return len([json.loads(line) for line in text.split("\n") if line])
    delimiter = text[text.index(MODEL_VERSION) - 1]
    return sum(1 for _ in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def function_errors(model: Model) -> float:
    """How often the function has failed so far, other tests' doings among it."""
    now = datetime.now(UTC)
    asked = model.laptop.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": _function(model)}],
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in asked["Datapoints"]))


def told_as_errors(model: Model, *, since: datetime) -> list[str]:
    """What the function logged of uploads that it could not give their outcome."""
    pages = model.laptop.client("logs").get_paginator("filter_log_events")
    told = [
        event["message"]
        for page in pages.paginate(
            logGroupName=f"/aws/lambda/{_function(model)}", startTime=int(since.timestamp() * 1000)
        )
        for event in page["events"]
    ]
    assert told, "the function was invoked"
    return [message for message in told if '"level": "ERROR"' in message]


def _function(model: Model) -> str:
    return layout.resource_name("local", model.name) + "-score-upload"
