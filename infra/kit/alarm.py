"""The specification of an alarm."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch


@dataclass(frozen=True, kw_only=True)
class AlarmSpec:
    """One alarm: a metric's statistic over a period that is above a threshold is worth a page."""

    name: str
    metric: cloudwatch.Metric
    statistic: str = "Sum"
    above: float = 0
    periods: int = 1
    means: str
    do: str
    runbook: str
    # Counts are not sent while they are zero, so silence is good news, and the alarm clears by itself.
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
