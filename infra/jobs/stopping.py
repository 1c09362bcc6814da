"""Jobs whose execution was stopped, ran out of time or failed are stopped, too."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_events as events
from constructs import Construct

from infra.kit.deployment import Deployment
from infra.kit.event_handler import EventHandler
from infra.kit.iam import Allow, arn
from infra.kit.state_machine import StateMachine

NAME = "abandoned-jobs"
TIMEOUT_SECONDS = 60


class JobStopping(EventHandler):
    """A function that is invoked for each execution of some state machines that ended without success.

    A transform job has no time-out of its own, and nobody waits for the others any more.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        machines: Sequence[StateMachine],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            deployment=deployment,
            name=NAME,
            about="executions whose jobs were to be stopped",
            function="stop_jobs",
            log_source="stop-jobs",
            description="Stops the jobs of an execution that ended without them",
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mib=256,
            allows=_allows(scope, deployment.name, machines),
            pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [machine.arn for machine in machines],
                    "status": ["ABORTED", "FAILED", "TIMED_OUT"],
                },
            ),
            rule_description="The jobs of an execution that ended without them are stopped",
        )


def _allows(scope: Construct, name: str, machines: Sequence[StateMachine]) -> list[Allow]:
    jobs = [arn(scope, "sagemaker", f"{kind}/{name}-*") for kind in ("processing-job", "transform-job")]
    return [
        Allow(
            actions=["states:GetExecutionHistory"],
            resources=[arn(scope, "states", f"execution:{machine.full_name}:*") for machine in machines],
            because="An execution is named when it is started.",
        ),
        Allow(
            actions=["sagemaker:ListProcessingJobs", "sagemaker:ListTransformJobs"],
            resources=["*"],
            because="SageMaker lists an account's jobs: the actions have no resources.",
        ),
        *(
            Allow(
                actions=[f"sagemaker:Stop{kind}"],
                resources=[job],
                because="Jobs are named after their execution, behind the model's own name.",
            )
            for kind, job in zip(("ProcessingJob", "TransformJob"), jobs, strict=True)
        ),
    ]
