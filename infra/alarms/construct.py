"""The alarms. Each pages, says what it means and links to its runbook."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.kit.alarm import AlarmSpec
from infra.kit.deployment import Deployment


class Alarms(Construct):
    """An alarm `<deployment>-<name>` for each of the specs that a stack's capabilities yield."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        topic: sns.ITopic,
        specs: Iterable[AlarmSpec],
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        for spec in specs:
            self._make(spec).add_alarm_action(actions.SnsAction(topic))

    def _make(self, spec: AlarmSpec) -> cloudwatch.Alarm:
        settings = self._deployment.settings
        runbook = f"{settings.repository}/blob/main/docs/runbooks/{spec.runbook}.md"
        return cloudwatch.Alarm(
            self,
            "".join(word.capitalize() for word in spec.name.split("-")),
            alarm_name=f"{self._deployment.name}-{spec.name}",
            alarm_description=f"{spec.means} First: {spec.do} {runbook}",
            metric=spec.metric.with_(
                statistic=spec.statistic, period=cdk.Duration.seconds(settings.alarms.period_seconds)
            ),
            threshold=spec.above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=spec.periods,
            treat_missing_data=spec.missing,
        )
