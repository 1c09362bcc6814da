"""CloudWatch on ministack: alarms that evaluate on time also when nothing happens, metric math,
metrics from log lines, and the metrics that SQS publishes of its queues."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, cloudwatch_logs, sqs
from ministack.services.cloudformation import provisioners

from local.cloud.cloudwatch import alarm_actions, alarm_state, embedded_metrics, metric_math
from local.cloud.cloudwatch.measurements import Measurements
from local.cloud.iam.service_calls import ServiceCalls
from local.cloud.patching import replace

EVALUATION_SECONDS = 1.0
QUEUE_METRIC_SECONDS = 5.0
"""How often a queue's numbers are written down when they do not change."""
QUEUE_METRIC_RETENTION_SECONDS = 3 * 3600.0
logger = logging.getLogger(__name__)


def install(calls: ServiceCalls) -> None:
    """Replace ministack's evaluation and actions of alarms, and read metrics from logs."""
    # ministack evaluates when data comes, over all dimensions at once. `Clock` does it every second.
    replace(cloudwatch, "_evaluate_alarm", "alarm", lambda _: _left_to_the_clock)
    replace(
        cloudwatch,
        "_dispatch_alarm_actions",
        "alarm old_state new_state reason",
        lambda _: lambda *arguments: alarm_actions.run(calls, *arguments),
    )
    replace(cloudwatch, "_put_metric_alarm", "params cbor_data is_cbor is_json", _accepting_metric_math)
    replace(provisioners, "_cw_metric_alarm_record", "name props", _deploying_metric_math)
    replace(cloudwatch_logs, "_append_log_events", "stream events", _reading_metrics)


def _left_to_the_clock(alarm: Mapping[str, Any]) -> None:
    del alarm


class Clock:
    """Evaluates every alarm each second on a thread of its own, and does the chores it is given."""

    def __init__(self, account: str, region: str, chores: Sequence[Callable[[], None]]) -> None:
        self._account = account
        self._region = region
        self._chores = chores
        self._thread = threading.Thread(target=self._run, name="cloudwatch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(EVALUATION_SECONDS)
            with request_scope(self._account, self._region):
                for chore in self._chores:
                    _guarded(chore)
                for alarm in list(cloudwatch._alarms.values()):
                    _guarded(alarm_state.update, alarm)


def _guarded(work: Callable[..., None], *arguments: Any) -> None:
    try:
        work(*arguments)
    except Exception:
        logger.exception("one evaluation failed; the next is in %s s", EVALUATION_SECONDS)


class QueueMetrics:
    """AWS/SQS metrics of every queue; ministack publishes none."""

    def __init__(self, measurements: Measurements) -> None:
        self._measurements = measurements
        self._last: dict[tuple[str, str], tuple[float, float]] = {}

    def measure(self) -> None:
        """Write down what changed, and what was not written down for a while."""
        now = time.time()
        for queue in list(sqs._queues.values()):
            for name, unit, value in _numbers(queue, now):
                at, last = self._last.get((queue["url"], name), (0.0, -1.0))
                if value != last or now - at >= QUEUE_METRIC_SECONDS:
                    self._last[queue["url"], name] = (now, value)
                    self._measurements.put("AWS/SQS", name, value, unit, {"QueueName": queue["name"]})
        for key, points in list(cloudwatch._metrics.items()):
            if key[0] == "AWS/SQS" and points[0]["Timestamp"] < now - 2 * QUEUE_METRIC_RETENTION_SECONDS:
                oldest = now - QUEUE_METRIC_RETENTION_SECONDS
                points[:] = [point for point in points if point["Timestamp"] >= oldest]


def _numbers(queue: Mapping[str, Any], now: float) -> list[tuple[str, str, float]]:
    messages = list(queue["messages"])
    waiting = [message for message in messages if message["visible_at"] > now]
    in_flight = sum(1 for message in waiting if message.get("receipt_handle"))
    age = max((now - message["sent_at"] for message in messages), default=0.0)
    return [
        ("ApproximateNumberOfMessagesVisible", "Count", float(len(messages) - len(waiting))),
        ("ApproximateNumberOfMessagesNotVisible", "Count", float(in_flight)),
        ("ApproximateNumberOfMessagesDelayed", "Count", float(len(waiting) - in_flight)),
        ("ApproximateAgeOfOldestMessage", "Seconds", float(int(age))),
    ]


def _accepting_metric_math(original: Callable[..., Any]) -> Callable[..., Any]:
    """ministack drops `Metrics`. An alarm that cannot be evaluated is refused, never silently wrong."""

    def put_metric_alarm(params: Any, cbor_data: Any, is_cbor: bool, is_json: bool = False) -> Any:
        request = cbor_data if is_cbor or is_json else {}
        queries = request.get("Metrics") or []
        try:
            _check_queries(queries)
            if request:
                alarm_state.rule_of(request)
        except ValueError as error:
            return cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
        response = original(params, cbor_data, is_cbor, is_json)
        if queries and response[0] == 200:
            _use_queries(cloudwatch._alarms[request["AlarmName"]], queries)
        return response

    return put_metric_alarm


def _deploying_metric_math(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """ministack refuses a template's alarm that has `Metrics`."""

    def record(name: str, props: Mapping[str, Any]) -> dict[str, Any]:
        queries = props.get("Metrics") or []
        _check_queries(queries)
        if not queries:
            alarm = original(name, props)
        else:
            metric = {"MetricName": "metric math", "Namespace": "metric math"}
            alarm = original(name, {**props, **metric, "Metrics": None})
            _use_queries(alarm, queries)
        alarm_state.rule_of(alarm)
        return alarm

    return record


def _check_queries(queries: Sequence[Mapping[str, Any]]) -> None:
    ids = [query["Id"] for query in queries]
    for query in queries:
        if query.get("Expression"):
            metric_math.check(query["Expression"], ids)


def _use_queries(alarm: dict[str, Any], queries: Sequence[Mapping[str, Any]]) -> None:
    for name in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period"):
        alarm.pop(name, None)
    alarm["Metrics"] = [dict(query) for query in queries]


def _reading_metrics(original: Callable[..., None]) -> Callable[..., None]:
    """CloudWatch makes metrics of log lines in embedded metric format; ministack only keeps the lines."""

    def append_log_events(stream: Any, events: Sequence[Mapping[str, Any]]) -> None:
        original(stream, events)
        for event in events:
            for point in embedded_metrics.points(event["message"], event["timestamp"] / 1000):
                cloudwatch._store_datum(
                    *(point.namespace, point.name, dict(point.dimensions), point.timestamp, point.unit),
                    *(point.value, None, None, None),
                )

    return append_log_events
