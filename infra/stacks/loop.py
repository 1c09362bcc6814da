"""The loop stack, which can be deleted and deployed again: training, release, scoring, alarms and paging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from contract.layout import resource_name
from infra.alarms.construct import Alarms
from infra.alarms.paging import Paging
from infra.batch.construct import Batch
from infra.jobs.stopping import JobStopping
from infra.kit.capability import Capability
from infra.kit.deployment import Deployment
from infra.kit.image import Image
from infra.kit.storage_names import Storage
from infra.monitoring.construct import Monitoring
from infra.release.construct import Release
from infra.scoring.construct import Scoring
from infra.scoring.reconciliation import Reconciliation
from infra.settings import EnvironmentSettings
from infra.settings.model import ModelMonitoringSettings, ModelServingSettings
from infra.training.construct import Training


class LoopStack(cdk.Stack):
    """The stateless stack of one model in one environment."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        root: Path,
        environment_name: str,
        model: str,
        environment: EnvironmentSettings,
        serving: ModelServingSettings,
        monitoring: ModelMonitoringSettings,
        storage: Storage,
        bundle: Path,
        code_digest: str,
        definition: Mapping[str, Any],
        **stack: Any,
    ) -> None:
        super().__init__(scope, name, **stack)
        deployment = Deployment(
            name=resource_name(environment_name, model),
            environment_name=environment_name,
            model=model,
            settings=environment,
            serving=serving,
            storage=storage,
            code=lambda_.Code.from_asset(str(bundle)),
        )
        endpoint = deployment.name
        image = Image(self, "Image", root=root, model=model, uri=environment.image_uri)
        paging = Paging(self, "Paging", deployment=deployment)
        training = Training(
            self,
            "Training",
            deployment=deployment,
            image=image,
            code_digest=code_digest,
            definition=definition,
        )
        release = Release(self, "Release", deployment=deployment, image=image, endpoint=endpoint)
        batch = Batch(self, "Batch", deployment=deployment, image=image)
        scoring = Scoring(self, "Scoring", deployment=deployment, endpoint=endpoint, batch=batch)
        reconciliation = Reconciliation(
            self, "Reconciliation", deployment=deployment, scoring=scoring, batch=batch
        )
        monitor = Monitoring(self, "Monitoring", deployment=deployment, image=image, settings=monitoring)
        stopping = JobStopping(
            self, "JobStopping", deployment=deployment, machines=(batch.machine, monitor.machine)
        )
        put_in_operation(
            self,
            deployment,
            topic=paging.topic,
            capabilities=(
                image,
                paging,
                training,
                release,
                batch,
                scoring,
                reconciliation,
                monitor,
                stopping,
            ),
        )


def put_in_operation(
    stack: cdk.Stack, deployment: Deployment, *, topic: sns.ITopic, capabilities: Sequence[Capability]
) -> None:
    """Make the alarms and the outputs of a stack's capabilities."""
    specs = [spec for capability in capabilities for spec in capability.alarms()]
    Alarms(stack, "Alarms", deployment=deployment, topic=topic, specs=specs)
    for capability in capabilities:
        for key, value in capability.outputs().items():
            cdk.CfnOutput(stack, key, value=value)
