"""A state machine as all of them are: logged with its data, in an encrypted log group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.kit.deployment import Deployment
from infra.kit.iam import Allow, acknowledge
from infra.kit.log_group import LogGroup

_HISTORY = "Each state's input, output and duration are in the execution's history and log."
_RULES = ("AwsSolutions-SF2", "Serverless-StepFunctionStateMachineXray")


def state_machine(
    scope: Construct, *, deployment: Deployment, name: str, role: iam.Role, definition: Mapping[str, Any]
) -> stepfunctions.CfnStateMachine:
    """A state machine of this name and its log, directly in a construct: one to a construct."""
    logs = LogGroup(scope, "Logs", deployment=deployment, name=f"/aws/vendedlogs/states/{name}")
    machine = stepfunctions.CfnStateMachine(
        scope,
        "StateMachine",
        state_machine_name=name,
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
    return machine


def executions_metric(machine: stepfunctions.CfnStateMachine, name: str) -> cloudwatch.Metric:
    """A metric that Step Functions emits about a state machine, such as `ExecutionsFailed`."""
    return cloudwatch.Metric(
        namespace="AWS/States", metric_name=name, dimensions_map={"StateMachineArn": machine.attr_arn}
    )


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
