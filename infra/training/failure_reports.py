"""Failed runs: each is explained in one sentence, counted by its cause, and paged if it is worth it."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import Allow, arn
from infra.kit.queues import dead_letter_queue, queue_metric, rule_metric
from infra.training.pipeline.definition import TUNING_JOBS

TIMEOUT_SECONDS = 60


class FailureReports(Construct):
    """A function that is told of each execution of the training pipeline that failed.

    An execution that somebody stopped is none of them: they know. Where parameters are `searched`,
    a failed trial has the explanation.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, pipeline: str, searched: bool
    ) -> None:
        super().__init__(scope, construct_id)
        self.metric = deployment.metric
        self._pipeline = pipeline
        self.dead_letters = dead_letter_queue(self, "DeadLetters")
        self.function = Function(
            self,
            "ReportFailure",
            deployment=deployment,
            name="report_failure",
            description="Says why a training run failed, whose it is to put right, and whether to page",
            variables={},
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=256,
            allows=[*self._allows(), *([self._reads_trials()] if searched else [])],
        )
        self._keep_what_fails()
        self._rule = events.Rule(
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
            targets=[targets.LambdaFunction(self.function.function, dead_letter_queue=self.dead_letters)],
        )

    def metric_dead_letters(self) -> cloudwatch.Metric:
        """Failed runs that could not be reported."""
        return queue_metric(self.dead_letters, "ApproximateNumberOfMessagesVisible")

    def metric_undelivered(self) -> cloudwatch.Metric:
        """Failed runs that EventBridge could not tell of."""
        return rule_metric(self._rule.rule_name)

    def _keep_what_fails(self) -> None:
        # The rule's dead letters are events that Lambda did not take. One that it took is given up on, and
        # forgotten, after two more tries: by default in silence.
        lambda_.CfnEventInvokeConfig(
            self,
            "OnFailure",
            function_name=self.function.function.function_name,
            qualifier="$LATEST",
            destination_config={"onFailure": {"destination": self.dead_letters.queue_arn}},
        )

    def _allows(self) -> list[Allow]:
        executions = arn(self, "sagemaker", f"pipeline/{self._pipeline}/execution/*")
        jobs = [arn(self, "sagemaker", f"{kind}-job/pipelines-*") for kind in ("processing", "training")]
        return [
            Allow(actions=["sqs:SendMessage"], resources=[self.dead_letters.queue_arn]),
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
