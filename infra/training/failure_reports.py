"""Failed runs: each is explained in one sentence, counted by its cause, and paged if it is worth it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from contract.layout import RUNS_PREFIX
from contract.names.jobs import EVALUATION_FILE, Folder, Job
from contract.names.metrics import Metric
from contract.names.outputs import Kind, Redrive, RedriveRoute, output_key
from infra.kit.alarm import AlarmSpec
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import Allow, arn, list_objects, read_encrypted, read_objects
from infra.kit.queues import DeadLetterQueue, RuleDelivery
from infra.kit.storage_names import Storage
from infra.training.pipeline.step_names import TUNING_JOBS

TIMEOUT_SECONDS = 60
NAME = "failure"


class FailureReports(Composite, Construct):
    """A function that is invoked for each execution of the training pipeline that failed.

    An execution that somebody stopped is none of them. Where parameters are `searched`,
    a failed trial has the explanation.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, pipeline: str, searched: bool
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        self._pipeline = pipeline
        self._dead_letters = DeadLetterQueue(
            self, "DeadLetters", name=NAME, about="training runs that failed"
        )
        self.function = Function(
            self,
            "ReportFailure",
            deployment=deployment,
            name="report_failure",
            log_source="failures",
            description="Says why a training run failed, whose it is to put right, and whether to page",
            variables={},
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=256,
            allows=[*self._allows(deployment.storage), *([self._reads_trials()] if searched else [])],
        )
        self._keep_what_fails()
        rule = events.Rule(
            self,
            "Rule",
            description="A training run that failed is explained",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Building Pipeline Execution Status Change"],
                detail={
                    "pipelineArn": [arn(self, "sagemaker", f"pipeline/{pipeline}")],
                    "currentPipelineExecutionStatus": ["Failed"],
                },
            ),
            targets=[targets.LambdaFunction(self.function.function, dead_letter_queue=self._dead_letters)],
        )
        self.parts = (self._dead_letters, self.function, RuleDelivery(rule.rule_name, name=NAME))

    def own_alarms(self) -> Iterator[AlarmSpec]:
        """One for runs whose failure is worth a page."""
        yield AlarmSpec(
            name="pipeline-failed",
            metric=self._deployment.metric(Metric.RUNS_PAGED),
            means="A training run failed, and not by data or code that somebody just handed in.",
            do="read its sentence in ./millrace status: it says which step, and whose it is.",
            runbook="pipeline-failed",
        )

    def own_outputs(self) -> Mapping[str, str]:
        """The redrive route: failed runs whose report was given up on are reported again."""
        route = RedriveRoute(Redrive.INVOKE, self.function.name)
        return {output_key(NAME, Kind.REDRIVE_ROUTE): str(route)}

    def _keep_what_fails(self) -> None:
        # The rule's dead letters are events that Lambda did not take. One that it took is given up on, and
        # forgotten, after two more tries: by default in silence.
        lambda_.CfnEventInvokeConfig(
            self,
            "OnFailure",
            function_name=self.function.function.function_name,
            qualifier="$LATEST",
            destination_config={"onFailure": {"destination": self._dead_letters.queue_arn}},
        )

    def _allows(self, storage: Storage) -> list[Allow]:
        evaluations = f"{RUNS_PREFIX}*/{Job.EVALUATE}/{Folder.EVALUATION}/{EVALUATION_FILE}"
        executions = arn(self, "sagemaker", f"pipeline/{self._pipeline}/execution/*")
        jobs = [arn(self, "sagemaker", f"{kind}-job/pipelines-*") for kind in ("processing", "training")]
        return [
            Allow(actions=["sqs:SendMessage"], resources=[self._dead_letters.queue_arn]),
            # The gates that a model missed stand in its evaluation.
            read_objects(storage.artifacts_arn, evaluations),
            list_objects(storage.artifacts_arn, RUNS_PREFIX),
            read_encrypted(self, storage.key_arn),
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

    def _reads_trials(self) -> Allow:
        return Allow(
            actions=["sagemaker:ListTrainingJobsForHyperParameterTuningJob"],
            resources=[arn(self, "sagemaker", f"hyper-parameter-tuning-job/{TUNING_JOBS}")],
            because="SageMaker names a pipeline's tuning jobs <execution>-<step>-<random>.",
        )
