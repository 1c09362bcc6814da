"""What can be thrown away and deployed again: training, release, scoring, alarms and paging."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from contract.layout import resource_name
from infra.alarms import Alarms
from infra.image import Image
from infra.paging import Paging
from infra.permissions import arn
from infra.release import Release
from infra.scoring import Scoring
from infra.settings import Environment
from infra.storage import Storage
from infra.training import Training


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
        storage: Storage,
        bundle: Path,
        code_digest: str,
        definition: Mapping[str, Any],
        **stack: Any,
    ) -> None:
        super().__init__(scope, name, **stack)
        prefix = resource_name(environment_name, model)
        common: dict[str, Any] = {
            "name": prefix,
            "environment_name": environment_name,
            "model": model,
            "environment": environment,
            "storage": storage,
            "code": lambda_.Code.from_asset(str(bundle)),
        }
        image = Image(self, "Image", root=root, model=model, uri=environment.image_uri)
        paging = Paging(self, "Paging", prefix=prefix, key_arn=storage.key_arn, settings=environment.paging)
        training = Training(
            self, "Training", **common, image=image, code_digest=code_digest, definition=definition
        )
        release = Release(self, "Release", **common, image=image, endpoint=prefix)
        scoring = Scoring(self, "Scoring", **common, endpoint=prefix)
        Alarms(
            self,
            "Alarms",
            prefix=prefix,
            paging=paging,
            repository=environment.repository,
            settings=environment.alarms,
            scoring=scoring,
            training=training,
            release=release,
        )
        self._put_out(prefix, paging=paging, training=training, release=release, scoring=scoring)

    def _put_out(
        self, prefix: str, *, paging: Paging, training: Training, release: Release, scoring: Scoring
    ) -> None:
        """What people and commands need to find."""
        outputs = {
            "Pipeline": prefix,
            "PipelineArn": arn(self, "sagemaker", f"pipeline/{prefix}"),
            "Endpoint": prefix,
            "ReleaseStateMachineArn": release.machine.attr_arn,
            "ScoreQueueUrl": scoring.uploads.queue.queue_url,
            "ScoreDeadLetterQueueUrl": scoring.uploads.dead_letters.queue_url,
            "TrainingQueueUrl": training.uploads.queue.queue_url,
            "TrainingDeadLetterQueueUrl": training.uploads.dead_letters.queue_url,
            "ReleaseDeadLetterQueueUrl": release.dead_letters.queue_url,
            "PageTopicArn": paging.topic.topic_arn,
            "StartTrainingFunction": training.function.name,
            "ScoreUploadFunction": scoring.function.name,
            "VerifyPackageFunction": release.function.name,
        }
        if paging.inbox:
            outputs["PageInboxUrl"] = paging.inbox.queue_url
        for key, value in outputs.items():
            cdk.CfnOutput(self, key, value=value)
