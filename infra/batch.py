"""The batch path: uploads too large for one call, through Step Functions and SageMaker Batch Transform."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from contract.layout import live_parameter
from infra.batch_definition import BatchDefinition
from infra.batch_roles import assemble_role, split_role, state_machine_role
from infra.deployment import Deployment
from infra.image import Image
from infra.log_group import LogGroup
from infra.permissions import acknowledge


class Batch(Construct):
    """The state machine `<deployment>-batch`, of which each large upload starts one execution."""

    def __init__(self, scope: Construct, construct_id: str, *, deployment: Deployment, image: Image) -> None:
        super().__init__(scope, construct_id)
        storage, name = deployment.storage, f"{deployment.name}-batch"
        parameter = live_parameter(deployment.environment_name, deployment.model)
        split = split_role(self, storage=storage, image=image)
        assemble = assemble_role(self, storage=storage, image=image)
        definition = BatchDefinition(
            name=deployment.name,
            environment_name=deployment.environment_name,
            model=deployment.model,
            image_uri=image.uri,
            split_role_arn=split.role_arn,
            assemble_role_arn=assemble.role_arn,
            artifacts_bucket=storage.artifacts_bucket,
            results_bucket=storage.results_bucket,
            key_arn=storage.key_arn,
            live_parameter=parameter,
            batch=deployment.settings.batch,
        )
        role = state_machine_role(
            self,
            name=name,
            storage=storage,
            job_role_arns=[split.role_arn, assemble.role_arn],
            live_parameter=parameter,
        )
        logs = LogGroup(self, "Logs", deployment=deployment, name=f"/aws/vendedlogs/states/{name}")
        self.machine = stepfunctions.CfnStateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            role_arn=role.role_arn,
            definition_string=cdk.Stack.of(self).to_json_string(definition.to_dict()),
            logging_configuration={
                "level": "ALL",
                "includeExecutionData": True,
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": f"{logs.arn}:*"}}],
            },
        )
        self.machine.node.add_dependency(logs)
        history = "Each state's input, output and duration are in the execution's history and log."
        rules = ("AwsSolutions-SF2", "Serverless-StepFunctionStateMachineXray")
        acknowledge(self.machine, dict.fromkeys(rules, history))

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric that Step Functions emits about the state machine, such as `ExecutionsFailed`."""
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=name,
            dimensions_map={"StateMachineArn": self.machine.attr_arn},
        )
