"""Whatever happens to an upload's messages, functions and endpoint: one outcome, nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.kit import samples
from contract import layout
from tests.end_to_end.laptop import Model, eventually, table

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def large() -> bytes:
    """A table that takes a function many requests to score."""
    header, rows = samples.tumors()
    return table(header[:-1], [row[:-1] for row in rows] * 20)


def event(model: Model, key: str, version_id: str, size: int) -> str:
    """The body of the message that an upload causes."""
    return json.dumps(
        {
            "version": "0",
            "source": "aws.s3",
            "detail-type": "Object Created",
            "account": "000000000000",
            "region": "us-east-1",
            "detail": {
                "bucket": {"name": model.outputs["DataBucket"]},
                "object": {"key": key, "version-id": version_id, "size": size},
            },
        }
    )


def test_an_event_delivered_six_times_at_once_gives_one_result(tumor: Model, large: bytes) -> None:
    key = "score/doubled/large.csv"
    version = tumor.upload(key, large)
    body = event(tumor, key, version, len(large))
    sqs = tumor.laptop.client("sqs")

    def send(_: int) -> None:
        sqs.send_message(QueueUrl=tumor.outputs["ScoreQueueUrl"], MessageBody=body)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(send, range(5)))

    assert len(tumor.result(key, version)) == large.count(b"\n") - 1
    eventually(lambda: tumor.waiting() == 0, within=60, what="all six messages are dealt with")
    assert tumor.outcomes("doubled/") == [layout.scored_key(key, version)]


def test_without_an_endpoint_uploads_wait_and_page_and_are_scored_when_it_is_back(tumor: Model) -> None:
    header, rows = samples.tumors()
    sagemaker = tumor.laptop.client("sagemaker")
    live = tumor.live()
    sagemaker.delete_endpoint(EndpointName=tumor.outputs["Endpoint"])
    keys = [f"score/outage/{number}.csv" for number in range(3)]
    versions = [tumor.upload(key, table(header[:-1], [row[:-1] for row in rows[:5]])) for key in keys]

    tumor.page("score-oldest-message")
    assert tumor.outcomes("outage/") == []
    assert tumor.waiting() == len(keys)

    # As the runbook says: approved again is released again, which makes the endpoint anew.
    for status in ("Rejected", "Approved"):
        sagemaker.update_model_package(ModelPackageArn=live["model_package_arn"], ModelApprovalStatus=status)
    eventually(lambda: tumor.live() != live, within=60, what="the release is recorded")

    for key, version in zip(keys, versions, strict=True):
        assert len(tumor.result(key, version, within=90)) == 5
    assert len(tumor.outcomes("outage/")) == len(keys)


@pytest.fixture
def soon_redelivered(tumor: Model) -> Iterator[None]:
    """The score queue gives a message again after seconds instead of minutes."""
    sqs, url = tumor.laptop.client("sqs"), tumor.outputs["ScoreQueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "4"})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def workers(cloud_pid: int) -> list[int]:
    """Process ids of the functions' workers: the cloud's descendants that run a Lambda."""
    found = []
    for status in Path("/proc").glob("[0-9]*/environ"):
        try:
            environ = status.read_bytes()
            parent = (status.parent / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if (
            b"AWS_LAMBDA_FUNCTION_NAME=millrace-local-tumor-score-upload" in environ
            and int(parent) == cloud_pid
        ):
            found.append(int(status.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")
def test_a_function_killed_in_the_middle_loses_and_doubles_nothing(
    tumor: Model, large: bytes, soon_redelivered: None
) -> None:
    cloud = json.loads((tumor.laptop.folder / "cloud.json").read_text())
    keys = [f"score/killed/{number}.csv" for number in range(4)]
    versions = [tumor.upload(key, large) for key in keys]
    killed = 0
    while killed < 6:
        pids = eventually(lambda: workers(cloud["pid"]), within=30, what="a worker runs")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        killed += len(pids)

    expected = large.count(b"\n") - 1
    for key, version in zip(keys, versions, strict=True):
        assert len(tumor.result(key, version, within=120)) == expected
    eventually(lambda: tumor.waiting() == 0, within=60, what="every message is dealt with")
    assert sorted(tumor.outcomes("killed/")) == sorted(
        layout.scored_key(key, version) for key, version in zip(keys, versions, strict=True)
    )
