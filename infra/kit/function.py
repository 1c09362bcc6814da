"""A Lambda function as all of them are: own role, own encrypted log group, settings as environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from contract.names.outputs import Kind, output_key
from infra.kit.alarm import AlarmSpec
from infra.kit.deployment import Deployment
from infra.kit.iam import Allow, acknowledge, role, write_logs
from infra.kit.log_group import LogGroup

MIN_DISK_MIB, MAX_DISK_MIB = 512, 10_240
"""The limits that Lambda sets to a function's /tmp."""

_ONE_PYTHON = "Functions, image and laptop run the same Python: 3.13."
_REASONS = {
    "AwsSolutions-L1": _ONE_PYTHON,
    "Serverless-LambdaLatestVersion": _ONE_PYTHON,
    "Serverless-LambdaDLQ": "Called by SQS, by a state machine, or by a rule; that a call fails is an alarm.",
    "Serverless-LambdaTracing": "One function handles an upload: its log has key, version and durations.",
}


class Function(Construct):
    """`lambdas/<name>/handler.py`.

    It is called `<deployment>-<name>` in AWS, with dashes. Besides `variables` its environment says
    which ENVIRONMENT and MODEL it works for, and holds nothing else. `./millrace logs <log_source>` shows
    its log.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        name: str,
        log_source: str,
        variables: Mapping[str, str],
        timeout_seconds: int,
        memory_mib: int,
        disk_mib: int = MIN_DISK_MIB,
        description: str,
        allows: Sequence[Allow],
    ) -> None:
        super().__init__(scope, construct_id)
        self._short_name = name.replace("_", "-")
        self._log_source = log_source
        self.name = f"{deployment.name}-{self._short_name}"
        self._log_group = f"/aws/lambda/{self.name}"
        logs = LogGroup(self, "Logs", deployment=deployment, name=self._log_group)
        which = {"ENVIRONMENT": deployment.environment_name, "MODEL": deployment.model}
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self.name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"lambdas.{name}.handler.handler",
            code=deployment.code,
            role=role(
                self,
                "Role",
                service="lambda.amazonaws.com",
                description=f"Runs {self.name}",
                allows=[*allows, write_logs(logs.arn)],
            ),
            environment={**which, **variables},
            timeout=cdk.Duration.seconds(timeout_seconds),
            memory_size=memory_mib,
            ephemeral_storage_size=cdk.Size.mebibytes(disk_mib),
            log_group=logs.reference,
        )
        resource = self.function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        resource.add_deletion_override("DependsOn")  # on the role, which its ARN says already
        acknowledge(self.function, _REASONS)

    def consume(
        self, queue_arn: str, *, batch_size: int, max_concurrency: int, window_seconds: int = 0
    ) -> None:
        """Be called with a queue's messages, and report those that failed one by one."""
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Messages",
            function_name=self.function.function_name,
            event_source_arn=queue_arn,
            batch_size=batch_size,
            maximum_batching_window_in_seconds=window_seconds,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=max_concurrency
            ),
        )
        reason = "SQS mappings have none: messages that fail go to the queue's dead letters."
        acknowledge(mapping, {"Serverless-LambdaEventSourceMappingDestination": reason})

    def alarms(self) -> Iterator[AlarmSpec]:
        """One for its errors, one for its throttles."""
        yield AlarmSpec(
            name=f"{self._short_name}-errors",
            metric=self._metric("Errors"),
            means=f"The function {self.name} crashed or ran out of time or memory.",
            do="read its log; messages it had are delivered again by themselves.",
            runbook="function-errors",
        )
        yield AlarmSpec(
            name=f"{self._short_name}-throttles",
            metric=self._metric("Throttles"),
            periods=3,
            means=f"The function {self.name} may not run as often as it is asked to.",
            do="compare the account's Lambda concurrency with what is in use.",
            runbook="function-throttles",
        )

    def outputs(self) -> Mapping[str, str]:
        """Its name and its log group."""
        return {
            output_key(self._short_name, Kind.FUNCTION): self.name,
            output_key(self._log_source, Kind.LOG_SOURCE): self._log_group,
        }

    def _metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Lambda", metric_name=name, dimensions_map={"FunctionName": self.name}
        )
