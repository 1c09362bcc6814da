"""Metrics, events and logs that AWS's services emit themselves, put where the public APIs find them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, cloudwatch_logs, eventbridge


class Measurements:
    """Writes for one account and region, from any thread."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def put(self, namespace: str, name: str, value: float, unit: str, dimensions: Mapping[str, str]) -> None:
        """One data point now; see `seam.Cloud.put_metric`."""
        with request_scope(self._account, self._region):
            cloudwatch.record_metric(namespace, name, value, unit, dict(dimensions))

    def event(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str]
    ) -> None:
        """One event on the default bus; see `seam.Cloud.put_event`."""
        entry = {
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "Resources": list(resources),
        }
        with request_scope(self._account, self._region):
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

    def log(self, group: str, stream: str, lines: Iterable[str]) -> None:
        """Append to CloudWatch Logs; see `seam.Cloud.log`."""
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines]
        name = {"logGroupName": group}
        with request_scope(self._account, self._region):
            # "Already exists" is an answer here, not an exception.
            cloudwatch_logs._create_log_group(name)
            cloudwatch_logs._create_log_stream({**name, "logStreamName": stream})
            cloudwatch_logs._put_log_events({**name, "logStreamName": stream, "logEvents": events})
