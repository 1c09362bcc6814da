"""The state of one alarm of ministack's, brought up to date from its stored metrics."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from local.cloud.cloudwatch import alarms, metric_math

OUT_OF_ORDER_SECONDS = 120.0
"""Points are stored as they arrive; those of log lines bring their own, somewhat older time."""


def update(alarm: dict[str, Any]) -> None:
    """Evaluate one alarm now; on a change of state write its history and run its actions."""
    rule = rule_of(alarm)
    values = _values(alarm, rule.evaluation_range)
    old = alarms.State(alarm["StateValue"])
    verdict = alarms.evaluate(rule, values, old)
    if verdict.state is old:
        return
    alarm.update(
        StateValue=str(verdict.state), StateReason=verdict.reason, StateUpdatedTimestamp=int(time.time())
    )
    cloudwatch._record_history(alarm["AlarmName"], str(old), str(verdict.state), verdict.reason)
    cloudwatch._dispatch_alarm_actions(alarm, str(old), str(verdict.state), verdict.reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def rule_of(alarm: Mapping[str, Any]) -> alarms.Rule:
    """The part of an alarm's configuration that decides. Raises ValueError for what is not evaluated here."""
    periods = int(alarm.get("EvaluationPeriods") or 1)
    return alarms.Rule(
        threshold=float(alarm["Threshold"]),
        comparison=alarm["ComparisonOperator"],
        evaluation_periods=periods,
        datapoints_to_alarm=int(alarm.get("DatapointsToAlarm") or periods),
        treat_missing_data=alarms.Missing(alarm.get("TreatMissingData") or "missing"),
    )


def _values(alarm: Mapping[str, Any], count: int) -> list[float | None]:
    period = _period(alarm)
    running = int(time.time() // period) * period
    periods = [running - period * age for age in reversed(range(count))]
    if not alarm.get("Metrics"):
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        series = _series(
            alarm["Namespace"], alarm["MetricName"], alarm.get("Dimensions"), statistic, period, periods
        )
    else:
        series = _math(alarm["Metrics"], periods)
    return [series.get(start) for start in periods]


def _period(alarm: Mapping[str, Any]) -> int:
    stats = [query["MetricStat"] for query in alarm.get("Metrics") or [] if query.get("MetricStat")]
    return int(stats[0]["Period"] if stats else alarm.get("Period") or 60)


def _math(queries: Sequence[Mapping[str, Any]], periods: Sequence[int]) -> metric_math.Series:
    """The series of the one query that returns data."""
    series: dict[str, metric_math.Series] = {}
    for query in queries:
        stat = query.get("MetricStat")
        if stat:
            metric = stat["Metric"]
            series[query["Id"]] = _series(
                metric["Namespace"],
                metric["MetricName"],
                metric.get("Dimensions"),
                stat["Stat"],
                int(stat["Period"]),
                periods,
            )
    waiting = [query for query in queries if query.get("Expression")]
    while waiting:
        # An expression may name another: evaluate those first whose names are all known.
        ready = [query for query in waiting if _names(query["Expression"], waiting) <= series.keys()]
        for query in ready or waiting[:1]:
            series[query["Id"]] = metric_math.evaluate(query["Expression"], series, periods)
            waiting.remove(query)
    returned = [query["Id"] for query in queries if query.get("ReturnData", True) is not False]
    return series[returned[-1]]


def _names(expression: str, waiting: Sequence[Mapping[str, Any]]) -> set[str]:
    return {query["Id"] for query in waiting} & set(re.findall(r"[a-z]\w*", expression))


def _series(
    namespace: str,
    name: str,
    dimensions: Sequence[Mapping[str, str]] | None,
    statistic: str,
    period: int,
    periods: Sequence[int],
) -> metric_math.Series:
    wanted = cloudwatch._dims_key({item["Name"]: item["Value"] for item in dimensions or []})
    stored = _recent(cloudwatch._metrics.get((namespace, name, wanted)) or [], periods[0])
    series = {}
    for start in periods:
        inside = [point for point in stored if start <= point["Timestamp"] < start + period]
        stats = cloudwatch._calc_stats(inside)
        value = cloudwatch._stat_value(stats, statistic, inside) if stats else None
        if value is not None:
            series[start] = float(value)
    return series


def _recent(points: Sequence[Mapping[str, Any]], since: float) -> list[Mapping[str, Any]]:
    """The last points, without a look at all that a long-lived cloud has stored."""
    recent = []
    for point in reversed(points):
        if point["Timestamp"] < since - OUT_OF_ORDER_SECONDS:
            break
        recent.append(point)
    return recent
