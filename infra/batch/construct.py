"""The batch path: uploads too large for one call, through Step Functions and SageMaker Batch Transform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import aws_cdk as cdk
from constructs import Construct

from contract.layout import live_parameter
from contract.names.metrics import Metric
from contract.names.outputs import Kind, Redrive, RedriveRoute, output_key
from infra.batch.arguments import BatchArguments
from infra.batch.definition import BatchDefinition
from infra.batch.roles import assemble_role, split_role, state_machine_role, transform_role
from infra.kit.alarm import AlarmSpec
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.image import Image
from infra.kit.state_machine import StateMachine, Trouble

NAME = "batch"
_TROUBLE = Trouble(
    subject="Scoring a large upload",
    effect="it has no outcome yet",
    do="open the execution, put right what it says, and start it again with the same input.",
)


class Batch(Composite, Construct):
    """The state machine `<deployment>-batch`, of which each large upload starts one execution."""

    def __init__(self, scope: Construct, construct_id: str, *, deployment: Deployment, image: Image) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        storage = deployment.storage
        parameter = live_parameter(deployment.environment_name, deployment.model)
        split = split_role(self, storage=storage, image=image)
        transform = transform_role(self, storage=storage, image=image)
        assemble = assemble_role(self, storage=storage, image=image)
        arguments = BatchArguments(
            environment_name=deployment.environment_name,
            model=deployment.model,
            image_uri=image.uri,
            split_role_arn=split.role_arn,
            assemble_role_arn=assemble.role_arn,
            transform_role_arn=transform.role_arn,
            results_bucket=storage.results_bucket,
            key_arn=storage.key_arn,
            region=cdk.Stack.of(self).region,
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
            name=f"{deployment.name}-{NAME}",
            storage=storage,
            passed_role_arns=[split.role_arn, assemble.role_arn, transform.role_arn],
            live_parameter=parameter,
        )
        self.machine = StateMachine(
            self,
            deployment=deployment,
            name=NAME,
            role=role,
            definition=definition.to_dict(),
            trouble=_TROUBLE,
        )
        self.parts = (self.machine,)

    def own_alarms(self) -> Iterator[AlarmSpec]:
        """One for large uploads that wait for instances."""
        yield AlarmSpec(
            name="quota-reached",
            metric=self._deployment.metric(Metric.QUOTA_REACHED),
            means="A large upload waits for instances that the account's quota has no room for.",
            do="./millrace quotas says which quota it is, and has the command that asks for more.",
            runbook="quota-reached",
        )

    def own_outputs(self) -> Mapping[str, str]:
        """The redrive route for batches that failed."""
        route = RedriveRoute(Redrive.RESTART, self.machine.arn)
        return {output_key(NAME, Kind.REDRIVE_ROUTE): str(route)}
