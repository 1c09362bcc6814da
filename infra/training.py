"""Training: what starts it, and the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from contract.layout import DATASETS_PREFIX, RUNS_PREFIX, TRAINING_PREFIX
from infra.function import Function
from infra.image import Image
from infra.permissions import Allow, arn, list_objects, read_objects, use_key, write_objects
from infra.pipeline.definition import JOBS
from infra.pipeline.values import Values, render
from infra.settings import Environment
from infra.storage import Storage
from infra.training_roles import job_role, pipeline_role
from infra.upload_queue import UploadQueue

START_MAX_RECEIVES = 4


class Training(Construct):
    """An upload under `training/` pins a dataset version and starts the pipeline `name`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        environment_name: str,
        model: str,
        environment: Environment,
        storage: Storage,
        image: Image,
        code: lambda_.Code,
        code_digest: str,
        definition: Mapping[str, Any],
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._make_pipeline(model, storage=storage, image=image, definition=definition)
        self.uploads = UploadQueue(
            self,
            "Uploads",
            bucket_name=storage.data_bucket,
            prefix=TRAINING_PREFIX,
            max_receives=START_MAX_RECEIVES,
            consumer_timeout_seconds=environment.training.start_timeout_seconds,
            window_seconds=environment.training.settle_seconds,
        )
        self.function = Function(
            self,
            "StartTraining",
            name="start_training",
            prefix=name,
            code=code,
            key_arn=storage.key_arn,
            log_days=environment.retention.log_days,
            variables={
                "ENVIRONMENT": environment_name,
                "MODEL": model,
                "DATA_BUCKET": storage.data_bucket,
                "ARTIFACTS_BUCKET": storage.artifacts_bucket,
                "PIPELINE": name,
                "CODE_DIGEST": code_digest,
            },
            timeout_seconds=environment.training.start_timeout_seconds,
            memory_mib=1024,
            description="Pins a dataset version and starts the training pipeline on it, once",
            allows=[self.uploads.consume, *self._start_allows(storage)],
        )
        # What is uploaded within a while becomes one dataset version and one run.
        self.function.consume(
            self.uploads.queue.queue_arn,
            batch_size=100,
            max_concurrency=2,
            window_seconds=environment.training.settle_seconds,
        )

    def metric_failed(self) -> cloudwatch.Metric:
        """Executions of the pipeline that failed, a missed gate included."""
        return cloudwatch.Metric(
            namespace="AWS/Sagemaker/ModelBuildingPipeline",
            metric_name="ExecutionFailed",
            dimensions_map={"PipelineName": self._name},
        )

    def _make_pipeline(
        self, model: str, *, storage: Storage, image: Image, definition: Mapping[str, Any]
    ) -> None:
        job_roles = {job: job_role(self, job, storage=storage, image=image) for job in JOBS}
        values = Values(
            image_uri=image.uri,
            key_arn=storage.key_arn,
            package_group=storage.package_group,
            **{f"{job}_role_arn": made.role_arn for job, made in job_roles.items()},
        )
        body = cdk.Stack.of(self).to_json_string(render(definition, values))
        sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self._name,
            pipeline_description=f"Trains, tests and registers the model {model}",
            role_arn=pipeline_role(self, name=self._name, storage=storage, job_roles=job_roles).role_arn,
            pipeline_definition={"PipelineDefinitionBody": body},
        )

    def _start_allows(self, storage: Storage) -> list[Allow]:
        started, contracts = f"{RUNS_PREFIX}*/started.json", f"{RUNS_PREFIX}*/contract/*"
        return [
            list_objects(storage.data_arn, TRAINING_PREFIX, DATASETS_PREFIX, versions=True),
            read_objects(storage.data_arn, f"{TRAINING_PREFIX}*", versions=True),
            write_objects(storage.data_arn, f"{DATASETS_PREFIX}*"),
            list_objects(storage.artifacts_arn, RUNS_PREFIX),
            read_objects(storage.artifacts_arn, started),
            write_objects(storage.artifacts_arn, contracts, started),
            use_key(self, storage.key_arn),
            Allow(
                actions=["sagemaker:StartPipelineExecution"],
                resources=[arn(self, "sagemaker", f"pipeline/{self._name}")],
            ),
        ]
