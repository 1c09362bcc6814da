"""Training: what starts it, the pipeline, and a role for each of its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from contract.layout import DATASETS_PREFIX, RUNS_PREFIX, TRAINING_PREFIX
from infra.function import Function
from infra.image import Image
from infra.permissions import (
    Allow,
    lend_key,
    list_objects,
    pass_role,
    read_objects,
    role,
    use_key,
    write_logs,
    write_objects,
)
from infra.pipeline.definition import JOBS, Values, render
from infra.settings import Environment
from infra.storage import Storage
from infra.upload_queue import UploadQueue

START_TIMEOUT_SECONDS = 300
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
        self._storage = storage
        self._image = image
        job_roles = {job: self._job_role(job) for job in JOBS}
        self.pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=name,
            pipeline_description=f"Trains, tests and registers the model {model}",
            role_arn=self._pipeline_role(name, job_roles).role_arn,
            pipeline_definition={
                "PipelineDefinitionBody": cdk.Stack.of(self).to_json_string(
                    render(
                        definition,
                        Values(
                            image_uri=image.uri,
                            key_arn=storage.key_arn,
                            package_group=storage.package_group,
                            **{f"{job}_role_arn": made.role_arn for job, made in job_roles.items()},
                        ),
                    )
                )
            },
        )
        self.uploads = UploadQueue(
            self,
            "Uploads",
            bucket_name=storage.data_bucket,
            prefix=TRAINING_PREFIX,
            consumer_timeout_seconds=START_TIMEOUT_SECONDS,
            max_receives=START_MAX_RECEIVES,
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
            timeout_seconds=START_TIMEOUT_SECONDS,
            memory_mib=1024,
            description="Pins a dataset version and starts the training pipeline on it, once",
            allows=[
                self.uploads.consume,
                list_objects(storage.data_arn, TRAINING_PREFIX, DATASETS_PREFIX, versions=True),
                read_objects(storage.data_arn, f"{TRAINING_PREFIX}*", versions=True),
                write_objects(storage.data_arn, f"{DATASETS_PREFIX}*"),
                list_objects(storage.artifacts_arn, RUNS_PREFIX),
                read_objects(storage.artifacts_arn, f"{RUNS_PREFIX}*/started.json"),
                write_objects(
                    storage.artifacts_arn, f"{RUNS_PREFIX}*/contract/*", f"{RUNS_PREFIX}*/started.json"
                ),
                use_key(self, storage.key_arn),
                Allow(actions=["sagemaker:StartPipelineExecution"], resources=[self._arn("pipeline", name)]),
            ],
        )
        # One run for all that was uploaded within a while, and never two at a time from one upload.
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
            dimensions_map={"PipelineName": self.pipeline.pipeline_name},
        )

    def _job_role(self, job: str) -> iam.Role:
        artifacts, run = self._storage.artifacts_arn, f"{RUNS_PREFIX}*"
        reads = {
            "validate": [f"{run}/contract/*"],
            "prepare": [f"{run}/contract/*"],
            "train": [f"{run}/contract/*", f"{run}/prepare/*"],
            "evaluate": [f"{run}/contract/*", f"{run}/prepare/holdout/*", f"{run}/train/*"],
        }[job]
        dataset = [
            read_objects(self._storage.data_arn, f"{DATASETS_PREFIX}*"),
            list_objects(self._storage.data_arn, DATASETS_PREFIX),
        ]
        kind = "TrainingJobs" if job == "train" else "ProcessingJobs"
        return role(
            self,
            f"{job.capitalize()}Role",
            service="sagemaker.amazonaws.com",
            description=f"The job {job} of {self._storage.package_group}",
            allows=[
                *(dataset if job in ("validate", "prepare") else []),
                read_objects(artifacts, *reads),
                list_objects(artifacts, RUNS_PREFIX),
                write_objects(artifacts, f"{run}/{job}/*"),
                use_key(self, self._storage.key_arn),
                lend_key(self._storage.key_arn),
                *sagemaker_telemetry(self, f"/aws/sagemaker/{kind}"),
                *self._image.pull,
            ],
        )

    def _pipeline_role(self, name: str, job_roles: Mapping[str, iam.Role]) -> iam.Role:
        jobs = [
            self._arn("training-job" if job == "train" else "processing-job", f"pipelines-*-{job}-*")
            for job in JOBS
        ]
        kinds = ("ProcessingJob", "TrainingJob")
        return role(
            self,
            "PipelineRole",
            service="sagemaker.amazonaws.com",
            description=f"Executions of the pipeline {name}",
            allows=[
                Allow(
                    actions=[
                        *(
                            f"sagemaker:{verb}{kind}"
                            for kind in kinds
                            for verb in ("Create", "Describe", "Stop")
                        ),
                        "sagemaker:AddTags",
                    ],
                    resources=jobs,
                    because="SageMaker names a pipeline's jobs pipelines-<execution>-<step>-<random>.",
                ),
                Allow(
                    actions=[
                        "sagemaker:CreateModelPackage",
                        "sagemaker:DescribeModelPackage",
                        "sagemaker:AddTags",
                    ],
                    resources=[
                        self._arn("model-package-group", self._storage.package_group),
                        self._arn("model-package", f"{self._storage.package_group}/*"),
                    ],
                    because="A package's version is given when it is registered.",
                ),
                Allow(
                    actions=["sagemaker:DescribeModelPackageGroup"],
                    resources=[self._arn("model-package-group", self._storage.package_group)],
                ),
                pass_role([made.role_arn for made in job_roles.values()], service="sagemaker.amazonaws.com"),
                # The gate reads the evaluation.
                read_objects(self._storage.artifacts_arn, f"{RUNS_PREFIX}*/evaluate/evaluation/*"),
                use_key(self, self._storage.key_arn),
                lend_key(self._storage.key_arn),
            ],
        )

    def _arn(self, kind: str, name: str) -> str:
        stack = cdk.Stack.of(self)
        return f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:{kind}/{name}"


def sagemaker_telemetry(scope: Construct, log_group: str) -> tuple[Allow, ...]:
    """Let a job or endpoint write its logs and its instance's metrics."""
    stack = cdk.Stack.of(scope)
    arn = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{log_group}"
    return (
        write_logs(arn),
        Allow(
            actions=["logs:CreateLogGroup", "logs:DescribeLogStreams"],
            resources=[f"{arn}:*"],
            because="A log group's ARN ends in :* in IAM.",
        ),
        Allow(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            when={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
            because="CloudWatch has no resources to name; the namespace is the limit.",
        ),
    )
