"""A state machine as all of them are: logged with its data, in an encrypted log group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from contract.names.outputs import Kind, output_key
from infra.kit.alarm import AlarmSpec
from infra.kit.deployment import Deployment
from infra.kit.iam import Allow, acknowledge
from infra.kit.log_group import LogGroup

_FAILURES = {
    "failed": "ExecutionsFailed",
    "timed-out": "ExecutionsTimedOut",
    "aborted": "ExecutionsAborted",
}
"""The ways in which an execution ends without success, each with the metric that counts it."""
_HISTORY = "Each state's input, output and duration are in the execution's history and log."
_RULES = ("AwsSolutions-SF2", "Serverless-StepFunctionStateMachineXray")


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """The text of a state machine's alarms: the work that failed, the effect, and the first thing to do."""

    subject: str
    effect: str
    do: str


class StateMachine:
    """The state machine `<deployment>-<name>` and its log, directly in a construct: one to a construct.

    `trouble` is the text of its alarms, whose runbook is `<name>-failed`.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        deployment: Deployment,
        name: str,
        role: iam.Role,
        definition: Mapping[str, Any],
        trouble: Trouble,
    ) -> None:
        self._name, self._trouble = name, trouble
        self.full_name = full_name = f"{deployment.name}-{name}"
        logs = LogGroup(scope, "Logs", deployment=deployment, name=f"/aws/vendedlogs/states/{full_name}")
        machine = stepfunctions.CfnStateMachine(
            scope,
            "StateMachine",
            state_machine_name=full_name,
            role_arn=role.role_arn,
            definition_string=cdk.Stack.of(scope).to_json_string(definition),
            logging_configuration={
                "level": "ALL",
                "includeExecutionData": True,
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": f"{logs.arn}:*"}}],
            },
        )
        machine.node.add_dependency(logs)
        acknowledge(machine, dict.fromkeys(_RULES, _HISTORY))
        self.arn = machine.attr_arn

    def alarms(self) -> Iterator[AlarmSpec]:
        """One for each way in which an execution ends without success."""
        for end, metric in _FAILURES.items():
            yield AlarmSpec(
                name=f"{self._name}-{end}",
                metric=cloudwatch.Metric(
                    namespace="AWS/States", metric_name=metric, dimensions_map={"StateMachineArn": self.arn}
                ),
                means=f"{self._trouble.subject} {end.replace('-', ' ')}; {self._trouble.effect}.",
                do=self._trouble.do,
                runbook=f"{self._name}-failed",
            )

    def outputs(self) -> Mapping[str, str]:
        """Its ARN, also as that of a log source."""
        return {output_key(self._name, kind): self.arn for kind in (Kind.STATE_MACHINE, Kind.LOG_SOURCE)}


def log_delivery() -> Allow:
    """Let a state machine write its log."""
    return Allow(
        actions=[
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ],
        resources=["*"],
        because="Log delivery, by which Step Functions writes its log, has no resources to name.",
    )
