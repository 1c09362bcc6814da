"""Training: what starts it, and the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from contract.layout import (
    CHAMPIONS_PREFIX,
    CHECKPOINTS_PREFIX,
    CONTRACTS_PREFIX,
    DATASETS_PREFIX,
    LAST_RUN_KEY,
    RUNS_PREFIX,
    TRAINING_PREFIX,
    live_parameter,
)
from contract.names.outputs import Kind, Output, output_key
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import Allow, arn, list_objects, read_objects, use_key, write_objects
from infra.kit.image import Image
from infra.kit.sagemaker_iam import read_packages
from infra.kit.upload_queue import UploadQueue
from infra.training.failure_reports import FailureReports
from infra.training.pipeline.step_names import JOBS, TUNE
from infra.training.pipeline.values import Values, render
from infra.training.roles import job_role, pipeline_role

MAX_RECEIVES = 6
"""Once when it comes, again after the longest wait and after the quiet time, which leaves three tries."""
WINDOW_SECONDS = 1


class Training(Composite, Construct):
    """An upload under `training/` pins a dataset version and starts the pipeline on it."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        image: Image,
        code_digest: str,
        definition: Mapping[str, Any],
    ) -> None:
        super().__init__(scope, construct_id)
        self._pipeline = deployment.name
        self._make_pipeline(deployment, image=image, definition=definition)
        settings = deployment.settings.training
        self.uploads = UploadQueue(
            self,
            "Uploads",
            deployment=deployment,
            name="training",
            about=("A training upload", "training uploads"),
            prefix=TRAINING_PREFIX,
            max_receives=MAX_RECEIVES,
            consumer_timeout_seconds=settings.start_timeout_seconds,
            window_seconds=WINDOW_SECONDS,
            usual_wait_seconds=settings.quiet_seconds,
        )
        self.function = Function(
            self,
            "StartTraining",
            deployment=deployment,
            name="start_training",
            log_source="train",
            description="Pins a dataset version and starts the training pipeline on it, once",
            variables={
                "DATA_BUCKET": deployment.storage.data_bucket,
                "ARTIFACTS_BUCKET": deployment.storage.artifacts_bucket,
                "PIPELINE": self._pipeline,
                "CODE_DIGEST": code_digest,
                "QUEUE_URL": self.uploads.queue.queue_url,
                "QUIET_SECONDS": str(settings.quiet_seconds),
                "LONGEST_WAIT_SECONDS": str(settings.longest_wait_seconds),
            },
            timeout_seconds=settings.start_timeout_seconds,
            memory_mib=1024,
            allows=[self.uploads.consume, *self._allows(deployment)],
        )
        self.function.consume(
            self.uploads.queue.queue_arn,
            batch_size=100,
            max_concurrency=2,
            window_seconds=WINDOW_SECONDS,
        )
        failures = FailureReports(
            self,
            "Failures",
            deployment=deployment,
            pipeline=self._pipeline,
            searched=any(step["Name"] == TUNE for step in definition["Steps"]),
        )
        self.parts = (self.uploads, self.function, failures)

    def own_outputs(self) -> Mapping[str, str]:
        """The pipeline, also as a log source: the jobs of its executions."""
        pipeline_arn = arn(self, "sagemaker", f"pipeline/{self._pipeline}")
        return {
            Output.PIPELINE: self._pipeline,
            Output.PIPELINE_ARN: pipeline_arn,
            output_key("jobs", Kind.LOG_SOURCE): pipeline_arn,
        }

    def _make_pipeline(self, deployment: Deployment, *, image: Image, definition: Mapping[str, Any]) -> None:
        storage = deployment.storage
        jobs = [step["Name"] for step in definition["Steps"] if step["Name"] in (*JOBS, TUNE)]
        searched = TUNE in jobs
        spot = deployment.settings.training.spot_wait_minutes is not None
        job_roles = {
            job: job_role(self, job, storage=storage, image=image, searched=searched, spot=spot)
            for job in jobs
        }
        values = Values(
            image_uri=image.uri,
            key_arn=storage.key_arn,
            package_group=storage.package_group,
            checkpoints_uri=f"s3://{storage.artifacts_bucket}/{CHECKPOINTS_PREFIX.rstrip('/')}",
            **{f"{job}_role_arn": made.role_arn for job, made in job_roles.items()},
        )
        body = cdk.Stack.of(self).to_json_string(render(definition, values))
        role = pipeline_role(self, name=deployment.name, storage=storage, image=image, job_roles=job_roles)
        sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=deployment.name,
            pipeline_description=f"Trains, tests and registers the model {deployment.model}",
            role_arn=role.role_arn,
            pipeline_definition={"PipelineDefinitionBody": body},
        )

    def _allows(self, deployment: Deployment) -> list[Allow]:
        storage = deployment.storage
        live = live_parameter(deployment.environment_name, deployment.model)
        decided = [f"{RUNS_PREFIX}*/{name}.json" for name in ("parameters", "started")]
        pinned = f"{CHAMPIONS_PREFIX}*"
        return [
            list_objects(storage.data_arn, TRAINING_PREFIX, DATASETS_PREFIX, versions=True),
            read_objects(storage.data_arn, f"{TRAINING_PREFIX}*", versions=True),
            write_objects(storage.data_arn, f"{DATASETS_PREFIX}*"),
            list_objects(storage.artifacts_arn, RUNS_PREFIX, CHAMPIONS_PREFIX, versions=True),
            read_objects(storage.artifacts_arn, *decided, LAST_RUN_KEY),
            # The live model's artifact, at its version, is copied to where the run finds it.
            read_objects(storage.artifacts_arn, f"{RUNS_PREFIX}*/train/*", versions=True),
            write_objects(storage.artifacts_arn, *decided, LAST_RUN_KEY, f"{CONTRACTS_PREFIX}*", pinned),
            use_key(self, storage.key_arn),
            Allow(
                actions=["ssm:GetParameter"],
                resources=[arn(self, "ssm", f"parameter{live}")],
            ),
            read_packages(self, storage.package_group),
            Allow(
                actions=["sagemaker:ListModelPackages"],
                resources=[arn(self, "sagemaker", f"model-package/{storage.package_group}/*")],
                because="A package is numbered when it is registered.",
            ),
            Allow(
                actions=["sagemaker:StartPipelineExecution"],
                resources=[arn(self, "sagemaker", f"pipeline/{self._pipeline}")],
            ),
            Allow(
                actions=["sagemaker:DescribePipelineExecution"],
                resources=[arn(self, "sagemaker", f"pipeline/{self._pipeline}/execution/*")],
                because="An execution is named when it starts.",
            ),
        ]
