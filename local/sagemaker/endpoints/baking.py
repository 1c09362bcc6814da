"""Waiting in an update while its alarms are watched, and the reasons to take the update back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local.cloud.seam import Cloud

_POLL_SECONDS = 0.5


class RollbackError(Exception):
    """The update is to be taken back; the message is the endpoint's FailureReason."""


@dataclass(frozen=True, kw_only=True)
class Baking:
    """The periods in which SageMaker monitors the alarms of an update, and the time limit of the whole."""

    ringing: Callable[[], Sequence[str]]
    """The names of the rollback alarms that are in the state ALARM."""
    timeout_seconds: float | None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _started: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Begin to count the time of the deployment."""
        self._started.append(self.clock())

    def wait(self, seconds: float) -> None:
        """Wait, at least long enough to look once.

        Raises:
            RollbackError: an alarm is in ALARM, or the deployment takes longer than it may.
        """
        end = self.clock() + seconds
        while True:
            self.check()
            left = end - self.clock()
            if left <= 0:
                return
            self.sleep(min(left, _POLL_SECONDS))

    def check(self) -> None:
        """Raise RollbackError where the update is to be taken back now."""
        if tripped := self.ringing():
            raise RollbackError(f"One or more alarms tripped during the deployment: {', '.join(tripped)}.")
        if self.timeout_seconds is not None and self.clock() - self._started[0] > self.timeout_seconds:
            raise RollbackError(f"The deployment took longer than {self.timeout_seconds:g} seconds.")


def ringing(cloud: Cloud, names: Sequence[str]) -> list[str]:
    """Those of the alarms that are in the state ALARM, whether they have just entered it or not."""
    return [name for name, state in alarm_states(cloud, names).items() if state == "ALARM"]


def alarm_states(cloud: Cloud, names: Sequence[str]) -> dict[str, str]:
    """The state of each of the alarms that exist."""
    if not names:
        return {}
    described = cloud.client("cloudwatch", None).describe_alarms(
        AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    found = [*described.get("MetricAlarms", []), *described.get("CompositeAlarms", [])]
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}
