"""The roles of the training pipeline: one for each job, and the pipeline's own."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_iam as iam
from constructs import Construct

from contract.layout import (
    CHAMPIONS_PREFIX,
    CHECKPOINTS_PREFIX,
    CONTRACTS_PREFIX,
    DATASETS_PREFIX,
    RUNS_PREFIX,
)
from infra.kit.iam import (
    Allow,
    arn,
    list_objects,
    locate_buckets,
    pass_role,
    read_encrypted,
    read_objects,
    role,
    use_key,
    write_objects,
)
from infra.kit.image import Image
from infra.kit.sagemaker_iam import lend_key, telemetry
from infra.kit.storage_names import Storage
from infra.training.pipeline.step_names import TUNE, TUNING_JOBS

_RUN = f"{RUNS_PREFIX}*"
_CONTRACTS = f"{CONTRACTS_PREFIX}*"
_CHAMPIONS = f"{CHAMPIONS_PREFIX}*"
_READS = {
    "validate": [_CONTRACTS, _CHAMPIONS],
    "prepare": [_CONTRACTS],
    TUNE: [_CONTRACTS, f"{_RUN}/prepare/train/*"],
    "train": [_CONTRACTS, f"{_RUN}/prepare/*"],
    "evaluate": [
        _CONTRACTS,
        _CHAMPIONS,
        f"{_RUN}/validate/*",
        f"{_RUN}/prepare/holdout/*",
        f"{_RUN}/train/*",
    ],
}
_MADE = {
    "train": ("TrainingJob", "training-job/pipelines-*-train-*"),
    TUNE: ("HyperParameterTuningJob", f"hyper-parameter-tuning-job/{TUNING_JOBS}"),
}
"""Jobs that are no processing jobs: their kind in SageMaker's API, and the pattern of their names."""
_READS_TRIALS = ("train", "evaluate")
_READS_DATASET = ("validate", "prepare")


def job_role(
    scope: Construct, job: str, *, storage: Storage, image: Image, searched: bool, spot: bool
) -> iam.Role:
    """A role that reads what a job's steps before it wrote, and writes under the job's own name.

    Where parameters are `searched`, that is what trials wrote, too; on `spot` instances, checkpoints.
    """
    reads = [*_READS[job], *([f"{_RUN}/{TUNE}/*"] if searched and job in _READS_TRIALS else [])]
    dataset = (
        read_objects(storage.data_arn, f"{DATASETS_PREFIX}*"),
        list_objects(storage.data_arn, DATASETS_PREFIX),
        locate_buckets(storage.data_arn),
    )
    kind = "TrainingJobs" if job in ("train", TUNE) else "ProcessingJobs"
    return role(
        scope,
        f"{job.capitalize()}Role",
        service="sagemaker.amazonaws.com",
        description=f"The job {job} of {storage.package_group}",
        allows=[
            *(dataset if job in _READS_DATASET else ()),
            read_objects(storage.artifacts_arn, *reads),
            list_objects(storage.artifacts_arn, RUNS_PREFIX, CONTRACTS_PREFIX, CHAMPIONS_PREFIX),
            locate_buckets(storage.artifacts_arn),
            write_objects(storage.artifacts_arn, f"{_RUN}/{job}/*"),
            *(_keep_checkpoints(storage, job) if spot and job in _MADE else []),
            use_key(scope, storage.key_arn),
            *lend_key(storage.key_arn),
            *telemetry(scope, f"/aws/sagemaker/{kind}"),
            *image.pull,
        ],
    )


def _keep_checkpoints(storage: Storage, job: str) -> list[Allow]:
    keys = f"{CHECKPOINTS_PREFIX}*/{job}/*"
    return [
        read_objects(storage.artifacts_arn, keys),
        write_objects(storage.artifacts_arn, keys),
        list_objects(storage.artifacts_arn, CHECKPOINTS_PREFIX),
    ]


def pipeline_role(
    scope: Construct, *, name: str, storage: Storage, image: Image, job_roles: Mapping[str, iam.Role]
) -> iam.Role:
    """A role that makes the pipeline's own jobs under their own roles, and registers packages."""
    group = arn(scope, "sagemaker", f"model-package-group/{storage.package_group}")
    packages = arn(scope, "sagemaker", f"model-package/{storage.package_group}/*")
    return role(
        scope,
        "PipelineRole",
        service="sagemaker.amazonaws.com",
        description=f"Executions of the pipeline {name}",
        allows=[
            *(_run_job(scope, job) for job in job_roles),
            pass_role([made.role_arn for made in job_roles.values()], service="sagemaker.amazonaws.com"),
            Allow(
                actions=[
                    "sagemaker:AddTags",
                    "sagemaker:CreateModelPackage",
                    "sagemaker:DescribeModelPackage",
                ],
                resources=[group, packages],
                because="A package's version is given when it is registered.",
            ),
            Allow(actions=["sagemaker:DescribeModelPackageGroup"], resources=[group]),
            image.read_manifest,
            # The gate reads the evaluation; registering checks that the artifact is there.
            read_objects(storage.artifacts_arn, f"{_RUN}/evaluate/evaluation/*", f"{_RUN}/train/*"),
            read_encrypted(scope, storage.key_arn),
            *lend_key(storage.key_arn),
        ],
    )


def _run_job(scope: Construct, job: str) -> Allow:
    kind, names = _MADE.get(job, ("ProcessingJob", f"processing-job/pipelines-*-{job}-*"))
    return Allow(
        actions=[
            "sagemaker:AddTags",
            *(f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe", "Stop")),
        ],
        resources=[arn(scope, "sagemaker", names)],
        because="SageMaker names a pipeline's jobs after the execution, the step and by chance.",
    )
