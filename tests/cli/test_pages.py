"""Pages are read where they lie, told once, and left there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber
from rich.console import Console

from cli.aws.clients import Aws
from cli.aws.page_history import Page, page_of, read_pages
from cli.aws.session import Deployment
from cli.commands.pages import known_alarm, pages_table, wait_for_page
from cli.kit.errors import CliError
from tests.cli.conftest import alarms, deploy

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
AGES_AGO = NOW - timedelta(days=365)


@pytest.fixture
def paged(aws: Aws) -> Deployment:
    """A model with an inbox for pages."""
    return deploy(aws, "tumor", {"Inbox": {"Type": "AWS::SQS::Queue"}}, {"PageInboxUrl": {"Ref": "Inbox"}})


def told(minute: int, name: str = "dead-letters", **changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": f"millrace-dev-tumor-{name}",
        "AlarmDescription": "Given up on. https://example.com/docs/runbooks/dead-letters.md",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": f"2026-11-21T09:{minute:02}:00.000+0000",
        **changes,
    }


def in_envelope(message: dict[str, Any]) -> str:
    return json.dumps({"Type": "Notification", "Message": json.dumps(message)})


def send(deployed: Deployment, *bodies: str) -> None:
    for body in bodies:
        deployed.aws.sqs.send_message(QueueUrl=deployed["PageInboxUrl"], MessageBody=body)


def test_all_pages_are_read_by_time_and_left_in_the_inbox(paged: Deployment) -> None:
    send(paged, *(in_envelope(told(minute)) for minute in range(30, 5, -1)))

    first = read_pages(paged, after=AGES_AGO)
    again = read_pages(paged, after=AGES_AGO)

    assert [page.when.minute for page in first] == list(range(6, 31))
    assert again == first


def test_an_alarm_is_known_by_its_short_and_its_full_name_and_no_other_is(paged: Deployment) -> None:
    alarms(paged, "millrace-dev-tumor-dead-letters", "millrace-dev-tumor-function-errors")

    assert known_alarm(paged, "dead-letters") == "dead-letters"
    assert known_alarm(paged, "millrace-dev-tumor-dead-letters") == "dead-letters"
    with pytest.raises(CliError, match="no alarm 'dead-leters': there are dead-letters, function-errors"):
        known_alarm(paged, "dead-leters")


def test_a_page_delivered_twice_is_told_once(paged: Deployment) -> None:
    send(paged, in_envelope(told(1)), in_envelope(told(1)))

    assert len(read_pages(paged, after=AGES_AGO)) == 1


def test_pages_of_one_alarm_after_a_moment(paged: Deployment) -> None:
    send(
        paged,
        *(in_envelope(told(minute, name)) for minute in (1, 2, 3) for name in ("dead-letters", "other")),
    )

    found = read_pages(paged, after=NOW.replace(minute=1), alarm="other")

    assert [(page.alarm, page.when.minute) for page in found] == [("other", 2), ("other", 3)]


@pytest.mark.parametrize(
    "body", ["", "hello", "[]", "{}", '{"Message": "hello"}', '{"AlarmName": "x"}', "null"]
)
def test_what_is_no_page_is_passed_over(body: str) -> None:
    assert page_of(body) is None


def test_a_raw_message_is_read_like_one_in_an_envelope() -> None:
    assert page_of(json.dumps(told(1))) == page_of(in_envelope(told(1)))


def test_without_an_inbox_the_alarms_tell(aws: Aws) -> None:
    name = "millrace-dev-tumor-dead-letters"
    deployed = deploy(aws, "tumor", {}, {})
    change = {"newState": {"stateValue": "ALARM", "stateReason": "three messages"}}
    alarms(deployed, name)
    with Stubber(aws.cloudwatch) as cloudwatch:
        described = {
            "AlarmName": name,
            "AlarmDescription": "https://example.com/docs/runbooks/dead-letters.md",
        }
        cloudwatch.add_response("describe_alarms", {"MetricAlarms": [described]})
        item = {"AlarmName": name, "Timestamp": NOW, "HistoryData": json.dumps(change)}
        cloudwatch.add_response("describe_alarm_history", {"AlarmHistoryItems": [item]})

        (page,) = read_pages(deployed, after=AGES_AGO)

    assert (page.alarm, page.state, page.reason) == ("dead-letters", "ALARM", "three messages")
    assert page.runbook == "docs/runbooks/dead-letters.md"


def test_waiting_for_a_page_that_does_not_come(paged: Deployment) -> None:
    with pytest.raises(
        CliError, match=r"waited 0 s for a page of gone; last seen: no page since 2026-11-21 09:30"
    ):
        wait_for_page(paged, after=NOW, timeout=0, alarm="gone")


def test_the_table_says_when_what_why_and_where_to_look() -> None:
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(
            pages_table([Page(NOW, "dead-letters", "ALARM", "3 [messages]", "see docs/runbooks/x.md")])
        )

    for part in ("11-21 09:30:00", "ALARM", "dead-letters", "3 [messages]", "docs/runbooks/x.md"):
        assert part in captured.get()
