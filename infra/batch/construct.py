"""The batch path: uploads too large for one call, through Step Functions and SageMaker Batch Transform."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from contract.layout import live_parameter
from infra.batch.arguments import BatchArguments
from infra.batch.definition import BatchDefinition
from infra.batch.roles import assemble_role, split_role, state_machine_role
from infra.kit.deployment import Deployment
from infra.kit.image import Image
from infra.kit.state_machine import executions_metric, state_machine


class Batch(Construct):
    """The state machine `<deployment>-batch`, of which each large upload starts one execution."""

    def __init__(self, scope: Construct, construct_id: str, *, deployment: Deployment, image: Image) -> None:
        super().__init__(scope, construct_id)
        storage, name = deployment.storage, f"{deployment.name}-batch"
        parameter = live_parameter(deployment.environment_name, deployment.model)
        split = split_role(self, storage=storage, image=image)
        assemble = assemble_role(self, storage=storage, image=image)
        arguments = BatchArguments(
            environment_name=deployment.environment_name,
            model=deployment.model,
            image_uri=image.uri,
            split_role_arn=split.role_arn,
            assemble_role_arn=assemble.role_arn,
            results_bucket=storage.results_bucket,
            key_arn=storage.key_arn,
            batch=deployment.settings.batch,
        )
        definition = BatchDefinition(
            name=deployment.name,
            artifacts_bucket=storage.artifacts_bucket,
            live_parameter=parameter,
            arguments=arguments,
        )
        role = state_machine_role(
            self,
            name=name,
            storage=storage,
            job_role_arns=[split.role_arn, assemble.role_arn],
            live_parameter=parameter,
        )
        self.machine = state_machine(
            self, deployment=deployment, name=name, role=role, definition=definition.to_dict()
        )

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric that Step Functions emits about the state machine, such as `ExecutionsFailed`."""
        return executions_metric(self.machine, name)
