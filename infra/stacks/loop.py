"""What can be thrown away and deployed again: training, release, scoring, alarms and paging."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from contract.layout import resource_name
from infra.alarms.construct import Alarms
from infra.alarms.paging import Paging
from infra.batch.construct import Batch
from infra.kit.deployment import Deployment
from infra.kit.iam import arn
from infra.kit.image import Image
from infra.kit.storage_names import Storage
from infra.release.construct import Release
from infra.scoring.construct import Scoring
from infra.scoring.reconciliation import Reconciliation
from infra.settings import Environment
from infra.settings.model import Serving
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
        environment: Environment,
        serving: Serving,
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
        Alarms(
            self,
            "Alarms",
            deployment=deployment,
            paging=paging,
            training=training,
            release=release,
            scoring=scoring,
            batch=batch,
            reconciliation=reconciliation,
        )
        outputs = {
            "Pipeline": deployment.name,
            "PipelineArn": arn(self, "sagemaker", f"pipeline/{deployment.name}"),
            "BatchStateMachineArn": batch.machine.attr_arn,
            "ReleaseStateMachineArn": release.machine.attr_arn,
            "ScoreQueueUrl": scoring.uploads.queue.queue_url,
            "ScoreDeadLetterQueueUrl": scoring.uploads.dead_letters.queue_url,
            "TrainingQueueUrl": training.uploads.queue.queue_url,
            "TrainingDeadLetterQueueUrl": training.uploads.dead_letters.queue_url,
            "ReleaseDeadLetterQueueUrl": release.dead_letters.queue_url,
            "PageTopicArn": paging.topic.topic_arn,
            "StartTrainingFunction": training.function.name,
            "ScoreUploadFunction": scoring.function.name,
            "ReportFailureFunction": training.failures.function.name,
            "FailureDeadLetterQueueUrl": training.failures.dead_letters.queue_url,
            "ReconcileUploadsFunction": reconciliation.function.name,
            "VerifyPackageFunction": release.function.name,
        }
        if serving.has_endpoint:
            outputs["Endpoint"] = endpoint
        if paging.inbox:
            outputs["PageInboxUrl"] = paging.inbox.queue_url
        for key, value in outputs.items():
            cdk.CfnOutput(self, key, value=value)
