"""The roles of the batch path: one for each job, and the state machine's own."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from contract.layout import BATCH_PREFIX, RUNS_PREFIX, SCORE_PREFIX, SCORED_PREFIX, UNSCORABLE_PREFIX
from contract.names.batch import ANSWERS, JOINED, PARTS, ROUNDS, SPLIT_FILE, UPLOAD_FILE
from contract.names.jobs import Job
from contract.names.metrics import NAMESPACE
from infra.kit.iam import (
    Allow,
    arn,
    list_objects,
    locate_buckets,
    pass_role,
    read_objects,
    role,
    use_key,
    write_objects,
)
from infra.kit.image import Image
from infra.kit.sagemaker_iam import lend_key, read_packages, telemetry
from infra.kit.state_machine import log_delivery
from infra.kit.storage_names import Storage

_NAMED = "A batch's jobs, and the model they ask, are named after its execution, behind the model's own name."


def split_role(scope: Construct, *, storage: Storage, image: Image) -> iam.Role:
    """A role that reads uploads and models, and writes parts, or why there are none."""
    return _job_role(
        scope,
        "Split",
        storage,
        image,
        [
            read_objects(
                storage.artifacts_arn, f"{RUNS_PREFIX}*/{Job.TRAIN}/*", f"{BATCH_PREFIX}*/{UPLOAD_FILE}"
            ),
            list_objects(storage.artifacts_arn, RUNS_PREFIX),
            locate_buckets(storage.artifacts_arn),
            write_objects(
                storage.artifacts_arn,
                *(f"{BATCH_PREFIX}*/{place}" for place in (f"{PARTS}/*", f"{ROUNDS}/1", SPLIT_FILE)),
            ),
            write_objects(storage.results_arn, f"{UNSCORABLE_PREFIX}*"),
        ],
    )


def assemble_role(scope: Construct, *, storage: Storage, image: Image) -> iam.Role:
    """A role that reads uploads and answers, and writes results."""
    places = (UPLOAD_FILE, SPLIT_FILE, f"{ANSWERS}/*", f"{JOINED}/*")
    return _job_role(
        scope,
        "Assemble",
        storage,
        image,
        [
            read_objects(storage.artifacts_arn, *(f"{BATCH_PREFIX}*/{place}" for place in places)),
            list_objects(storage.artifacts_arn, BATCH_PREFIX),
            write_objects(
                storage.artifacts_arn, *(f"{BATCH_PREFIX}*/{place}/*" for place in (ROUNDS, JOINED))
            ),
            write_objects(storage.results_arn, f"{SCORED_PREFIX}*"),
            Allow(
                actions=["s3:AbortMultipartUpload"],
                resources=[
                    f"{storage.results_arn}/{SCORED_PREFIX}*",
                    f"{storage.artifacts_arn}/{BATCH_PREFIX}*/joined/*",
                ],
                because="Removes the pieces of a result that another execution committed first.",
            ),
        ],
    )


def transform_role(scope: Construct, *, storage: Storage, image: Image) -> iam.Role:
    """A role under which the model server runs in transform jobs, and SageMaker reads parts for it."""
    return role(
        scope,
        "TransformRole",
        service="sagemaker.amazonaws.com",
        description=f"The model server in transform jobs of {storage.package_group}'s batches",
        allows=[
            read_objects(
                storage.artifacts_arn,
                f"{RUNS_PREFIX}*/{Job.TRAIN}/*",
                *(f"{BATCH_PREFIX}*/{place}/*" for place in (PARTS, ROUNDS)),
            ),
            list_objects(storage.artifacts_arn, RUNS_PREFIX, BATCH_PREFIX),
            locate_buckets(storage.artifacts_arn),
            write_objects(storage.artifacts_arn, f"{BATCH_PREFIX}*/{ANSWERS}/*"),
            use_key(scope, storage.key_arn),
            *telemetry(scope, "/aws/sagemaker/TransformJobs"),
            *image.pull,
        ],
    )


def state_machine_role(
    scope: Construct, *, name: str, storage: Storage, passed_role_arns: list[str], live_parameter: str
) -> iam.Role:
    """A role that makes the batch path's jobs under their own roles, of the version that is live."""
    jobs = [arn(scope, "sagemaker", f"{kind}/{storage.package_group}-*") for kind in _KINDS]
    return role(
        scope,
        "StateMachineRole",
        service="states.amazonaws.com",
        description=f"Executions of {name}",
        allows=[
            Allow(actions=["ssm:GetParameter"], resources=[arn(scope, "ssm", f"parameter{live_parameter}")]),
            read_packages(scope, storage.package_group),
            *(
                Allow(
                    actions=[f"sagemaker:Create{kind}", f"sagemaker:Describe{kind}"],
                    resources=[job],
                    because=_NAMED,
                )
                for kind, job in zip(_KINDS.values(), jobs, strict=True)
            ),
            Allow(
                actions=["sagemaker:CreateModel", "sagemaker:DeleteModel"],
                resources=[arn(scope, "sagemaker", f"model/{storage.package_group}-*")],
                because=_NAMED,
            ),
            pass_role(passed_role_arns, service="sagemaker.amazonaws.com"),
            *lend_key(storage.key_arn),
            Allow(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                when={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
                because="CloudWatch has no resources to name; the namespace is the limit.",
            ),
            log_delivery(),
        ],
    )


_KINDS = {"processing-job": "ProcessingJob", "transform-job": "TransformJob"}


def _job_role(scope: Construct, job: str, storage: Storage, image: Image, allows: list[Allow]) -> iam.Role:
    return role(
        scope,
        f"{job}Role",
        service="sagemaker.amazonaws.com",
        description=f"The job {job.lower()} of {storage.package_group}'s batches",
        allows=[
            read_objects(storage.data_arn, f"{SCORE_PREFIX}*", versions=True),
            # To tell an upload that was deleted from one that may not be read.
            list_objects(storage.data_arn, SCORE_PREFIX, versions=True),
            # To see whether an upload has its outcome; the outcome itself is not read.
            list_objects(storage.results_arn, SCORED_PREFIX, UNSCORABLE_PREFIX),
            Allow(
                actions=["s3:DeleteObject"],
                resources=[f"{storage.results_arn}/{UNSCORABLE_PREFIX}*"],
                because="Hides, and keeps as a version, the one of two outcomes that another model gave.",
            ),
            *allows,
            use_key(scope, storage.key_arn),
            *lend_key(storage.key_arn),
            *telemetry(scope, "/aws/sagemaker/ProcessingJobs"),
            *image.pull,
        ],
    )
