"""How far an execution has come: a record for each step that has begun, and its events."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from local.cloud.seam import Cloud
from local.sagemaker import events
from local.sagemaker.pipelines.definition import Step
from local.sagemaker.state import Record, now

_OPTIONAL = {"DisplayName": "StepDisplayName", "Description": "StepDescription"}


class Progress:
    """The steps of one execution, in the order in which they began."""

    def __init__(self, cloud: Cloud, execution: Record) -> None:
        self._cloud = cloud
        self._execution = execution
        self._lock = threading.Lock()
        self._records: dict[str, Record] = {}
        self._types: dict[str, str] = {}

    def begin(self, step: Step) -> None:
        """A step is about to be executed."""
        with self._lock:
            self._types[step["Name"]] = step["Type"]
            self._records[step["Name"]] = {
                "StepName": step["Name"],
                **{member: step[key] for key, member in _OPTIONAL.items() if key in step},
                "StartTime": now(),
                "StepStatus": "Starting",
                "AttemptCount": 1,
                "Metadata": {},
            }
        self.change(step["Name"], StepStatus="Executing")

    def change(self, name: str, **members: Any) -> None:
        """Set members of a step's record; a new status is an event."""
        with self._lock:
            record = self._records[name]
            previous = record["StepStatus"]
            record.update(members)
            changed = dict(record)
        if changed["StepStatus"] != previous:
            events.step_changed(self._cloud, self._execution, changed, self._types[name], previous)

    def end(self, name: str, status: str, reason: str | None = None) -> None:
        """A step has ended."""
        self.change(name, StepStatus=status, EndTime=now(), FailureReason=reason)

    def records(self) -> list[Mapping[str, Any]]:
        """A snapshot of every record."""
        with self._lock:
            return [dict(record) for record in self._records.values()]

    def has(self, *statuses: str) -> bool:
        """Whether any step has one of these statuses."""
        return any(record["StepStatus"] in statuses for record in self.records())
