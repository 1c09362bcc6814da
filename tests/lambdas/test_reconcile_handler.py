"""reconcile_uploads as Lambda runs it, with moto's S3 and SQS: a lost event is made good for."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from adapters.clients import client
from adapters.errors import AwsError
from adapters.queues import SqsQueue
from adapters.state_machines import StandardStateMachine
from contract.layout import batch_id
from lambdas.reconcile_uploads.handler import handler
from tests.fixtures.account import Account, Context, create_bucket

ROLE = "arn:aws:iam::123456789012:role/batch"


@pytest.fixture
def lossy(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account whose events are lost."""
    create_bucket("artifacts")
    machine = client("stepfunctions").create_state_machine(
        name="batch", definition='{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}', roleArn=ROLE
    )["stateMachineArn"]
    for name, value in {
        "DATA_BUCKET": "data",
        "ARTIFACTS_BUCKET": "artifacts",
        "AFTER_SECONDS": "1",
        "BATCH_STATE_MACHINE": machine,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("lambdas.reconcile_uploads.handler.time.time", _in_a_minute)
    return account


def _in_a_minute() -> float:
    return datetime.now(UTC).timestamp() + 60


def test_uploads_of_lost_events_are_scored(lossy: Account, capsys: pytest.CaptureFixture[str]) -> None:
    keys = [f"score/ü {n}+.csv" for n in range(12)]
    for key in keys:
        client("s3").put_object(Bucket="data", Key=key, Body=b"x\n1\n")
    said = handler({}, Context(seconds=300))
    assert said == {"without_outcome": 12, "in_batches": 0, "put_back": 12, "complete": True}
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["UploadsWithoutOutcome"] == 12
    for _ in range(2):
        lossy.poll()
    assert all(len(lossy.outcomes(key)) == 1 for key in keys)
    assert handler({}, Context(seconds=300)) == {**said, "without_outcome": 0, "put_back": 0}


def test_an_upload_in_a_running_batch_is_waited_for(lossy: Account) -> None:
    version = client("s3").put_object(Bucket="data", Key="score/large.csv", Body=b"x\n1\n")["VersionId"]
    machine = StandardStateMachine(os.environ["BATCH_STATE_MACHINE"])
    batch = batch_id("score/large.csv", version)
    for _ in range(2):
        machine.start(batch, {"batch": batch})
    assert list(machine.running()) == [batch]
    said = handler({}, Context(seconds=300))
    assert said == {"without_outcome": 0, "in_batches": 1, "put_back": 0, "complete": True}


def test_a_message_that_sqs_does_not_take_is_an_error() -> None:
    sqs = boto3.client("sqs", region_name="eu-central-1")
    with Stubber(sqs) as stub:
        refused = {"Id": "0", "SenderFault": False, "Code": "InternalError", "Message": "oops"}
        stub.add_response("send_message_batch", {"Successful": [], "Failed": [refused]})
        with pytest.raises(AwsError, match="SendMessageBatch: InternalError: oops"):
            SqsQueue("https://queue", sqs).send(["{}"])
