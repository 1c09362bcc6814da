"""Pages: the messages of the inbox queue where there is one, else the alarms' history."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.aws.session import Deployment
from contract.layout import resource_name
from contract.names.outputs import Output

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

BATCH = 10
HIDDEN_SECONDS = 30
"""For so long what is read stays hidden from other readers, should this one break off."""

_RUNBOOK = re.compile(r"https?://\S*?(docs/runbooks/[\w.-]+\.md)|(docs/runbooks/[\w.-]+\.md)")


@dataclass(frozen=True, order=True)
class Page:
    """One change of an alarm's state that somebody was told."""

    when: datetime
    alarm: str
    state: str
    reason: str
    description: str

    @property
    def runbook(self) -> str:
        """Path of the runbook that the alarm's description links to, or nothing."""
        match = _RUNBOOK.search(self.description)
        return (match[1] or match[2]) if match else ""


def read_pages(deployed: Deployment, *, after: datetime, alarm: str | None = None) -> list[Page]:
    """The pages after a moment, the oldest first, of one alarm or of all. Nothing is deleted."""
    prefix = alarm_prefix(deployed)
    pages = _from_inbox(deployed) if Output.PAGE_INBOX in deployed.outputs else _from_history(deployed, after)
    named = (Page(p.when, p.alarm.removeprefix(prefix), p.state, p.reason, p.description) for p in set(pages))
    return sorted(page for page in named if page.when > after and alarm in (None, page.alarm))


def alarm_prefix(deployed: Deployment) -> str:
    """Return the beginning of the full names of a model's alarms."""
    return resource_name(deployed.aws.environment, deployed.model) + "-"


def page_of(body: str) -> Page | None:
    """The page in a message: CloudWatch's JSON, as it is or in the envelope of SNS; else None."""
    try:
        document: dict[str, Any] = json.loads(body)
        if "AlarmName" not in document:
            document = json.loads(document["Message"])
        return Page(
            when=_time(document["StateChangeTime"]),
            alarm=document["AlarmName"],
            state=document["NewStateValue"],
            reason=document["NewStateReason"],
            description=document.get("AlarmDescription") or "",
        )
    except (ValueError, KeyError, TypeError):
        return None


def _from_inbox(deployed: Deployment) -> Iterator[Page]:
    messages = list(_receive(deployed))
    _hand_back(deployed, messages)
    yield from filter(None, (page_of(message["Body"]) for message in messages))


def _receive(deployed: Deployment) -> Iterator[MessageTypeDef]:
    seen: set[str] = set()
    while True:
        batch = deployed.aws.sqs.receive_message(
            QueueUrl=deployed[Output.PAGE_INBOX],
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=1,
        ).get("Messages", [])
        yield from batch
        if seen.issuperset(message["MessageId"] for message in batch):
            return
        seen.update(message["MessageId"] for message in batch)


def _hand_back(deployed: Deployment, messages: list[MessageTypeDef]) -> None:
    for start in range(0, len(messages), BATCH):
        deployed.aws.sqs.change_message_visibility_batch(
            QueueUrl=deployed[Output.PAGE_INBOX],
            Entries=[
                {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for i, message in enumerate(messages[start : start + BATCH])
            ],
        )


def _from_history(deployed: Deployment, after: datetime) -> Iterator[Page]:
    history = deployed.aws.cloudwatch.get_paginator("describe_alarm_history")
    for alarm in deployed.alarms():
        name = alarm["AlarmName"]
        changes = history.paginate(
            AlarmName=name, HistoryItemType="StateUpdate", StartDate=after, EndDate=datetime.now(UTC)
        )
        for item in (item for page in changes for item in page["AlarmHistoryItems"]):
            new = json.loads(item["HistoryData"])["newState"]
            state = (new["stateValue"], new.get("stateReason", ""), alarm.get("AlarmDescription", ""))
            yield Page(item["Timestamp"], name, *state)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
