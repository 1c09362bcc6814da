"""What an alarm does when its state changes: the message to SNS, and the record that it went out."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, sns

from local.cloud.iam.service_calls import ServiceCalls, over_tls
from local.cloud.seam import AccessDeniedError

SERVICE = "cloudwatch.amazonaws.com"
_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_REGION_NAMES = {"us-east-1": "US East (N. Virginia)"}
logger = logging.getLogger(__name__)


def run(calls: ServiceCalls, alarm: dict[str, Any], old: str, new: str, reason: str) -> None:
    """Publish to each SNS topic among the actions for the new state, as far as CloudWatch may."""
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(_ACTIONS[new]) or []:
        problem = None
        try:
            _publish(calls, action, alarm, old, new, reason)
        except (AccessDeniedError, sns.SnsPublishError, LookupError) as error:
            problem = str(error)
            logger.warning("alarm %s: action %s failed: %s", alarm["AlarmName"], action, error)
        _remember(alarm, action, new, problem)


def _publish(
    calls: ServiceCalls, topic_arn: str, alarm: dict[str, Any], old: str, new: str, reason: str
) -> None:
    if ":sns:" not in topic_arn:
        raise LookupError(f"the local cloud only runs SNS actions, not {topic_arn}")
    if sns._topic_by_arn_any_scope(topic_arn) is None:
        raise LookupError(f"topic {topic_arn} does not exist")
    calls.publish(topic_arn, SERVICE, alarm["AlarmArn"])
    region = get_region()
    subject = f'{new}: "{alarm["AlarmName"]}" in {_REGION_NAMES.get(region, region)}'
    with over_tls():
        sns.publish_internal(topic_arn, json.dumps(message(alarm, old, new, reason)), subject[:100])


def message(alarm: Mapping[str, Any], old: str, new: str, reason: str) -> dict[str, Any]:
    """The JSON that CloudWatch sends."""
    region = get_region()
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": _time(alarm.get("AlarmConfigurationUpdatedTimestamp")),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": _time(),
        "Region": _REGION_NAMES.get(region, region),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
        "Trigger": _trigger(alarm),
    }


def _trigger(alarm: Mapping[str, Any]) -> dict[str, Any]:
    rule = {
        "Period": alarm.get("Period"),
        "EvaluationPeriods": alarm.get("EvaluationPeriods"),
        **({"DatapointsToAlarm": alarm["DatapointsToAlarm"]} if alarm.get("DatapointsToAlarm") else {}),
        "ComparisonOperator": alarm.get("ComparisonOperator"),
        "Threshold": alarm.get("Threshold"),
        "TreatMissingData": alarm.get("TreatMissingData"),
        "EvaluateLowSampleCountPercentile": "",
    }
    if alarm.get("Metrics"):
        return {**rule, "Metrics": [_query(query) for query in alarm["Metrics"]]}
    extended = alarm.get("ExtendedStatistic")
    statistic = (
        {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
        if extended
        else {"StatisticType": "Statistic", "Statistic": str(alarm.get("Statistic", "")).upper()}
    )
    return {
        "MetricName": alarm.get("MetricName"),
        "Namespace": alarm.get("Namespace"),
        **statistic,
        "Unit": alarm.get("Unit"),
        "Dimensions": _dimensions(alarm.get("Dimensions")),
        **rule,
    }


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    if not query.get("MetricStat"):
        return dict(query)
    metric = query["MetricStat"]["Metric"]
    dimensions = {"Dimensions": _dimensions(metric.get("Dimensions"))}
    return {**query, "MetricStat": {**query["MetricStat"], "Metric": {**metric, **dimensions}}}


def _dimensions(dimensions: Sequence[Mapping[str, str]] | None) -> list[dict[str, str]]:
    return [{"value": item["Value"], "name": item["Name"]} for item in dimensions or []]


def _remember(alarm: Mapping[str, Any], action: str, new: str, problem: str | None) -> None:
    """The alarm's history of actions, which tells whether a page went out."""
    outcome = (
        f"Failed to execute action {action}. Received error: {problem}"
        if problem
        else f"Successfully executed action {action}"
    )
    data = {
        "actionState": "Failed" if problem else "Succeeded",
        "notificationResource": action,
        "stateUpdateTimestamp": int(dt.datetime.now(dt.UTC).timestamp() * 1000),
        "publishedMessage": new,
        "error": problem,
    }
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(dt.datetime.now(dt.UTC).timestamp()),
            "HistoryItemType": "Action",
            "HistorySummary": outcome,
            "HistoryData": json.dumps(data),
        }
    )


def _time(epoch_seconds: float | None = None) -> str:
    moment = (
        dt.datetime.now(dt.UTC) if epoch_seconds is None else dt.datetime.fromtimestamp(epoch_seconds, dt.UTC)
    )
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
