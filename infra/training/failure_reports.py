"""Failed runs: each is explained in one sentence, counted by its cause, and paged if it is worth it."""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import aws_events as events
from constructs import Construct

from contract.layout import RUNS_PREFIX
from contract.names.jobs import EVALUATION_FILE, Folder, Job
from contract.names.metrics import Metric
from infra.kit.alarm import AlarmSpec
from infra.kit.deployment import Deployment
from infra.kit.event_handler import EventHandler
from infra.kit.iam import Allow, arn, list_objects, read_encrypted, read_objects
from infra.kit.storage_names import Storage
from infra.training.pipeline.step_names import TUNING_JOBS

TIMEOUT_SECONDS = 60
NAME = "failure"


class FailureReports(EventHandler):
    """A function that is invoked for each execution of the training pipeline that failed.

    An execution that somebody stopped is none of them. Where parameters are `searched`,
    a failed trial has the explanation.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, pipeline: str, searched: bool
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            deployment=deployment,
            name=NAME,
            about="training runs that failed",
            function="report_failure",
            log_source="failures",
            description="Says why a training run failed, whose it is to put right, and whether to page",
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=256,
            allows=[
                *_allows(scope, pipeline, deployment.storage),
                *([_reads_trials(scope)] if searched else []),
            ],
            pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Building Pipeline Execution Status Change"],
                detail={
                    "pipelineArn": [arn(scope, "sagemaker", f"pipeline/{pipeline}")],
                    "currentPipelineExecutionStatus": ["Failed"],
                },
            ),
            rule_description="A training run that failed is explained",
        )
        self._deployment = deployment

    def own_alarms(self) -> Iterator[AlarmSpec]:
        """One for runs whose failure is worth a page."""
        yield AlarmSpec(
            name="pipeline-failed",
            metric=self._deployment.metric(Metric.RUNS_PAGED),
            means="A training run failed, and not by data or code that somebody just handed in.",
            do="read its sentence in ./millrace status: it says which step, and whose it is.",
            runbook="pipeline-failed",
        )


def _allows(scope: Construct, pipeline: str, storage: Storage) -> list[Allow]:
    evaluations = f"{RUNS_PREFIX}*/{Job.EVALUATE}/{Folder.EVALUATION}/{EVALUATION_FILE}"
    executions = arn(scope, "sagemaker", f"pipeline/{pipeline}/execution/*")
    jobs = [arn(scope, "sagemaker", f"{kind}-job/pipelines-*") for kind in ("processing", "training")]
    return [
        # The gates that a model missed stand in its evaluation.
        read_objects(storage.artifacts_arn, evaluations),
        list_objects(storage.artifacts_arn, RUNS_PREFIX),
        read_encrypted(scope, storage.key_arn),
        Allow(
            actions=[
                "sagemaker:DescribePipelineExecution",
                "sagemaker:ListPipelineExecutionSteps",
                "sagemaker:ListPipelineParametersForExecution",
            ],
            resources=[executions],
            because="An execution is named when it starts.",
        ),
        Allow(
            actions=["sagemaker:DescribeProcessingJob", "sagemaker:DescribeTrainingJob"],
            resources=jobs,
            because="SageMaker names a pipeline's jobs pipelines-<execution>-<step>-<random>.",
        ),
    ]


def _reads_trials(scope: Construct) -> Allow:
    return Allow(
        actions=["sagemaker:ListTrainingJobsForHyperParameterTuningJob"],
        resources=[arn(scope, "sagemaker", f"hyper-parameter-tuning-job/{TUNING_JOBS}")],
        because="SageMaker names a pipeline's tuning jobs <execution>-<step>-<random>.",
    )
