"""The alarms. Each pages, says what it means and links to its runbook."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from infra.alarms.delivery import watch_functions, watch_queues
from infra.alarms.paging import Paging
from infra.alarms.work import watch_batch, watch_endpoint, watch_model, watch_uploads
from infra.batch.construct import Batch
from infra.kit.deployment import Deployment
from infra.release.construct import Release
from infra.scoring.construct import Scoring
from infra.scoring.reconciliation import Reconciliation
from infra.training.construct import Training


class Alarms(Construct):
    """An alarm `<deployment>-<watch>` for each thing to watch."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        paging: Paging,
        training: Training,
        release: Release,
        scoring: Scoring,
        batch: Batch,
        reconciliation: Reconciliation,
    ) -> None:
        super().__init__(scope, construct_id)
        settings = deployment.settings.alarms
        runbooks = f"{deployment.settings.repository}/blob/main/docs/runbooks"
        for watch in (
            *watch_uploads(scoring, reconciliation, settings),
            *watch_queues(scoring, reconciliation, training, release, paging, settings),
            *watch_functions(scoring, reconciliation, training, release),
            *watch_batch(batch),
            *watch_model(training, release),
            *(watch_endpoint(release, settings) if deployment.serving.has_endpoint else []),
        ):
            alarm = cloudwatch.Alarm(
                self,
                "".join(word.capitalize() for word in watch.name.split("-")),
                alarm_name=f"{deployment.name}-{watch.name}",
                alarm_description=f"{watch.means} First: {watch.do} {runbooks}/{watch.runbook}.md",
                metric=watch.metric.with_(
                    statistic=watch.statistic, period=cdk.Duration.seconds(settings.period_seconds)
                ),
                threshold=watch.above,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                evaluation_periods=watch.periods,
                treat_missing_data=watch.missing,
            )
            alarm.add_alarm_action(actions.SnsAction(paging.topic))
