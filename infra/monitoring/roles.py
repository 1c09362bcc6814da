"""The roles of the monitor: the job's, the state machine's, and that of the rule that starts it."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from contract.layout import RUNS_PREFIX, SCORED_PREFIX
from contract.names.jobs import Job
from contract.names.monitoring import INBOX_PREFIX, PREFIX
from infra.kit.iam import Allow, arn, list_objects, pass_role, read_objects, role, use_key, write_objects
from infra.kit.image import Image
from infra.kit.sagemaker_iam import lend_key, read_packages, telemetry
from infra.kit.state_machine import log_delivery
from infra.kit.storage_names import Storage


def job_role(scope: Construct, *, storage: Storage, image: Image) -> iam.Role:
    """A role that reads results and models, and keeps what is under `monitoring/`."""
    return role(
        scope,
        "JobRole",
        service="sagemaker.amazonaws.com",
        description=f"The job {Job.MONITOR} of {storage.package_group}",
        allows=[
            read_objects(storage.results_arn, f"{SCORED_PREFIX}*", versions=True),
            # To tell a result that was deleted from one that may not be read.
            list_objects(storage.results_arn, SCORED_PREFIX, versions=True),
            read_objects(storage.artifacts_arn, f"{RUNS_PREFIX}*/{Job.TRAIN}/*", f"{PREFIX}*"),
            write_objects(storage.artifacts_arn, f"{PREFIX}*"),
            list_objects(storage.artifacts_arn, PREFIX),
            Allow(
                actions=["s3:DeleteObject"],
                resources=[f"{storage.artifacts_arn}/{INBOX_PREFIX}*"],
                because="The notes of what was counted are named by what is in them.",
            ),
            read_packages(scope, storage.package_group),
            use_key(scope, storage.key_arn),
            *lend_key(storage.key_arn),
            *telemetry(scope, "/aws/sagemaker/ProcessingJobs"),
            *image.pull,
        ],
    )


def state_machine_role(scope: Construct, *, name: str, storage: Storage, job_role_arn: str) -> iam.Role:
    """A role that looks whether there is something new, and runs the job under its own role."""
    return role(
        scope,
        "StateMachineRole",
        service="states.amazonaws.com",
        description=f"Executions of {name}",
        allows=[
            Allow(
                actions=["states:ListExecutions"],
                resources=[arn(scope, "states", f"stateMachine:{name}")],
            ),
            list_objects(storage.artifacts_arn, INBOX_PREFIX),
            Allow(
                actions=["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob"],
                resources=[arn(scope, "sagemaker", f"processing-job/{storage.package_group}-*")],
                because="The job is named after its execution, behind the model's own name.",
            ),
            pass_role([job_role_arn], service="sagemaker.amazonaws.com"),
            *lend_key(storage.key_arn),
            log_delivery(),
        ],
    )


def schedule_role(scope: Construct, *, name: str, machine_arn: str) -> iam.Role:
    """A role that starts executions of the monitor."""
    return role(
        scope,
        "ScheduleRole",
        service="events.amazonaws.com",
        description=f"Starts {name} on its schedule",
        allows=[Allow(actions=["states:StartExecution"], resources=[machine_arn])],
    )
