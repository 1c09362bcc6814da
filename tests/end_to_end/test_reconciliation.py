"""An upload that nobody told of is found, and one that was given up on is sent back: both are scored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cli.kit import samples
from contract.events import object_created
from tests.end_to_end.laptop import Model, eventually, table

pytestmark = pytest.mark.local_cloud


def three_tumors() -> bytes:
    header, rows = samples.tumors()
    return table(header[:-1], [row[:-1] for row in rows[:3]])


@pytest.fixture
def events_are_lost(tumor: Model) -> Iterator[None]:
    """EventBridge tells nobody of uploads to score."""
    events = tumor.laptop.client("events")
    (rule,) = (
        rule["Name"]
        for rule in events.list_rules()["Rules"]
        if f'"{tumor.outputs["DataBucket"]}"' in rule.get("EventPattern", "")
        and "score/" in rule["EventPattern"]
    )
    events.disable_rule(Name=rule)
    yield
    events.enable_rule(Name=rule)


@pytest.fixture
def outcomes_are_due_at_once(tumor: Model) -> Iterator[None]:
    """Reconciliation looks at uploads as soon as it may."""
    functions, name = tumor.laptop.client("lambda"), tumor.outputs["ReconcileUploadsFunction"]
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    after = {**before, "AFTER_SECONDS": "1"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": after})
    yield
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


@pytest.mark.usefixtures("events_are_lost", "outcomes_are_due_at_once")
def test_an_upload_whose_event_was_lost_is_found_and_scored(tumor: Model) -> None:
    functions = tumor.laptop.client("lambda")
    key = "score/lost/a b+c.csv"
    version = tumor.upload(key, three_tumors())

    def put_back() -> Any:
        answer = functions.invoke(FunctionName=tumor.outputs["ReconcileUploadsFunction"], Payload=b"{}")
        said = json.load(answer["Payload"])
        assert "FunctionError" not in answer, said
        return said["put_back"]

    eventually(put_back, within=30, what="the upload is put back")
    assert len(tumor.result(key, version)) == 3


@pytest.mark.usefixtures("events_are_lost")
def test_an_upload_that_was_given_up_on_is_sent_back_and_scored(tumor: Model) -> None:
    key = "score/given up/on.csv"
    version = tumor.upload(key, three_tumors())
    event = object_created(
        bucket=tumor.outputs["DataBucket"], key=key, version_id=version, reason="PutObject"
    )
    tumor.laptop.client("sqs").send_message(
        QueueUrl=tumor.outputs["ScoreDeadLetterQueueUrl"], MessageBody=json.dumps(event)
    )

    said = tumor.laptop.millrace("redrive", "--model", "tumor")

    assert any(line.split()[:2] == ["score", "1"] for line in said.splitlines()), said
    assert len(tumor.result(key, version)) == 3


def test_reconciliation_runs_by_itself_and_says_how_many_uploads_wait(tumor: Model) -> None:
    cloudwatch = tumor.laptop.client("cloudwatch")
    dimensions = [{"Name": "Environment", "Value": "local"}, {"Name": "Model", "Value": "tumor"}]

    def measured() -> Any:
        return cloudwatch.list_metrics(
            Namespace="Millrace", MetricName="UploadsWithoutOutcome", Dimensions=dimensions
        )["Metrics"]

    (metric,) = eventually(measured, within=120, what="the schedule calls the function")
    assert metric["Dimensions"] == dimensions
