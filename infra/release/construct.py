"""Release: an approved model package becomes what the endpoint serves, or pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from contract.events import DETAIL_TYPE
from contract.layout import CAPTURED_PREFIX, EVALUATION_PLACE, RUNS_PREFIX, live_parameter
from contract.names.jobs import Job
from contract.names.outputs import Kind, Output, Redrive, RedriveRoute, output_key
from infra.kit.alarm import AlarmSpec
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import Allow, list_objects, read_encrypted, read_objects, role
from infra.kit.image import Image
from infra.kit.queues import DeadLetterQueue, RuleDelivery
from infra.kit.sagemaker_iam import read_packages
from infra.kit.state_machine import StateMachine, Trouble
from infra.kit.storage_names import Storage
from infra.release.definition import ReleaseDefinition
from infra.release.endpoint import EndpointStates
from infra.release.endpoint_configuration import VARIANT, Capture, EndpointConfiguration
from infra.release.endpoint_deletion import EndpointDeletion
from infra.release.roles import serving_role, state_machine_role
from infra.release.scaling import Scaling

NAME = "release"
VERIFY_TIMEOUT_SECONDS = 120
_TROUBLE = Trouble(
    subject="A release",
    effect="the version before it still serves",
    do="open the execution and read the state it ended in.",
)
EDITS = (
    "AdditionalInferenceSpecifications",
    "AdditionalInferenceSpecificationsToAdd",
    "ApprovalDescription",
    "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove",
    "InferenceSpecification",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
    "SourceUri",
)
"""Fields that an update of a package may change and be no approval."""


class Release(Composite, Construct):
    """The state machine `<deployment>-release` and what starts it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, image: Image, endpoint: str
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        self._endpoint = endpoint
        self.function = Function(
            self,
            "VerifyPackage",
            deployment=deployment,
            name="verify_package",
            log_source="verify",
            description="Checks that a package's artifact is the one that was evaluated",
            variables={"ARTIFACTS_BUCKET": deployment.storage.artifacts_bucket},
            timeout_seconds=VERIFY_TIMEOUT_SECONDS,
            memory_mib=1024,
            allows=self._verify_allows(deployment.storage),
        )
        # Models of version 0.1.0 run under this one: without it they would be live without a role.
        serving_role(
            self, endpoint=endpoint, mode=deployment.serving, storage=deployment.storage, pull=image.pull
        )
        self.machine = self._make_machine(deployment.storage.serving_role_arn)
        self._dead_letters = DeadLetterQueue(self, "DeadLetters", name=NAME, about="approvals")
        rule = self._start_on_approval(deployment.storage.package_group)
        self.parts = (
            self.function,
            self.machine,
            self._dead_letters,
            RuleDelivery(rule.ref, name=NAME),
        )

    def own_alarms(self) -> Iterator[AlarmSpec]:
        """One for the endpoint's errors and one for its latency, where there is an endpoint."""
        if not self._deployment.serving.has_endpoint:
            return
        limit_ms = self._deployment.settings.alarms.p99_latency_ms
        yield AlarmSpec(
            name="endpoint-errors",
            metric=self._metric_endpoint("Invocation5XXErrors"),
            means="The model server answered 5xx; the uploads concerned are tried again.",
            do="read the endpoint's log, and compare with the time of the last release.",
            runbook="endpoint-errors",
        )
        yield AlarmSpec(
            name="endpoint-latency",
            metric=self._metric_endpoint("ModelLatency"),
            statistic="p99",
            above=limit_ms * 1000,  # SageMaker counts microseconds
            periods=3,
            means=f"One request in a hundred took the model server more than {limit_ms} ms.",
            do="look at the instances' CPU and the size of the requests; add instances.",
            runbook="endpoint-latency",
        )

    def own_outputs(self) -> Mapping[str, str]:
        """The redrive route for approvals that were given up on and, where there is one, the endpoint."""
        route = RedriveRoute(Redrive.START_NEWEST, self.machine.arn)
        endpoint = {
            Output.ENDPOINT: self._endpoint,
            output_key("endpoint", Kind.LOG_SOURCE): f"/aws/sagemaker/Endpoints/{self._endpoint}",
        }
        return {
            output_key(NAME, Kind.REDRIVE_ROUTE): str(route),
            **(endpoint if self._deployment.serving.has_endpoint else {}),
        }

    def _metric_endpoint(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            dimensions_map={"EndpointName": self._endpoint, "VariantName": VARIANT},
        )

    def _verify_allows(self, storage: Storage) -> list[Allow]:
        places = (f"{RUNS_PREFIX}*/{Job.TRAIN}/*", f"{RUNS_PREFIX}*/{EVALUATION_PLACE}/*")
        return [
            read_packages(self, storage.package_group),
            read_objects(storage.artifacts_arn, *places),
            list_objects(storage.artifacts_arn, RUNS_PREFIX),
            read_encrypted(self, storage.key_arn),
        ]

    def _make_machine(self, serving_role_arn: str) -> StateMachine:
        deployment = self._deployment
        parameter = live_parameter(deployment.environment_name, deployment.model)
        definition = ReleaseDefinition(
            verify_function_arn=self.function.function.function_arn,
            serving_role_arn=serving_role_arn,
            # SageMaker does not offer it for serverless endpoints.
            isolated=deployment.serving.mode != "serverless",
            endpoint=self._endpoint_states() if deployment.serving.has_endpoint else None,
            endpoint_deletion=None if deployment.serving.has_endpoint else self._endpoint_deletion(),
            release=deployment.settings.release,
            live_parameter=parameter,
            model=deployment.model,
        )
        machine_role = state_machine_role(
            self,
            name=f"{deployment.name}-{NAME}",
            endpoint=self._endpoint,
            mode=deployment.serving,
            storage=deployment.storage,
            verify_function_arn=self.function.function.function_arn,
            serving_role_arn=serving_role_arn,
            live_parameter=parameter,
        )
        return StateMachine(
            self,
            deployment=deployment,
            name=NAME,
            role=machine_role,
            definition=definition.to_dict(),
            trouble=_TROUBLE,
        )

    def _endpoint_states(self) -> EndpointStates:
        settings, has_instances = self._deployment.settings, self._deployment.serving.has_instances
        return EndpointStates(
            name=self._endpoint,
            configuration=EndpointConfiguration(
                key_arn=self._deployment.storage.key_arn,
                serving=settings.serving,
                has_instances=has_instances,
                capture=self._capture() if has_instances else None,
            ),
            scaling=self._scaling() if has_instances else None,
            poll_seconds=settings.release.poll_seconds,
        )

    def _endpoint_deletion(self) -> EndpointDeletion:
        return EndpointDeletion(
            endpoint=self._endpoint,
            scaling=self._scaling(),
            poll_seconds=self._deployment.settings.release.poll_seconds,
        )

    def _scaling(self) -> Scaling:
        return Scaling(
            endpoint=self._endpoint,
            variant=VARIANT,
            invocations_per_instance=self._deployment.serving.invocations_per_instance,
            serving=self._deployment.settings.serving,
        )

    def _capture(self) -> Capture:
        return Capture(
            percent=self._deployment.serving.capture_percent,
            uri=f"s3://{self._deployment.storage.artifacts_bucket}/{CAPTURED_PREFIX.rstrip('/')}",
        )

    def _start_on_approval(self, group: str) -> events.CfnRule:
        start = Allow(actions=["states:StartExecution"], resources=[self.machine.arn])
        starter = role(
            self,
            "StarterRole",
            service="events.amazonaws.com",
            description="Starts the release of an approved model package",
            allows=[start],
        )
        rule = events.CfnRule(
            self,
            "Rule",
            description="An approved model package is released",
            event_pattern={
                "source": ["aws.sagemaker"],
                DETAIL_TYPE: ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": [group],
                    "ModelApprovalStatus": ["Approved"],
                    # Every edit of a package approved long ago is an event with its status, too.
                    "$or": [
                        {"UpdatedModelPackageFields": [{"anything-but": list(EDITS)}]},
                        {"UpdatedModelPackageFields": [{"exists": False}]},
                    ],
                },
            },
            targets=[
                {
                    "id": "Release",
                    "arn": self.machine.arn,
                    "roleArn": starter.role_arn,
                    "deadLetterConfig": {"arn": self._dead_letters.queue_arn},
                }
            ],
        )
        self._dead_letters.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UndeliveredApprovals",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self._dead_letters.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        return rule
