"""Release: an approved model package becomes what the endpoint serves, or pages."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from contract.layout import CAPTURED_PREFIX, RUNS_PREFIX, live_parameter
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import Allow, list_objects, read_objects, role, use_key
from infra.kit.image import Image
from infra.kit.queues import dead_letter_queue, queue_metric, rule_metric
from infra.kit.sagemaker_iam import read_packages
from infra.kit.state_machine import executions_metric, state_machine
from infra.kit.storage_names import Storage
from infra.release.definition import ReleaseDefinition
from infra.release.endpoint import EndpointStates
from infra.release.endpoint_configuration import VARIANT, Capture, EndpointConfiguration
from infra.release.endpoint_deletion import Retirement
from infra.release.roles import serving_role, state_machine_role
from infra.release.scaling import Scaling

VERIFY_TIMEOUT_SECONDS = 120
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
"""What an update of a package may change and be no approval."""


class Release(Construct):
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
            description="Checks that a package's artifact is the one that was evaluated",
            variables={"ARTIFACTS_BUCKET": deployment.storage.artifacts_bucket},
            timeout_seconds=VERIFY_TIMEOUT_SECONDS,
            memory_mib=1024,
            allows=self._verify_allows(deployment.storage),
        )
        serving = serving_role(
            self, endpoint=endpoint, mode=deployment.serving, storage=deployment.storage, image=image
        )
        self.machine = self._make_machine(f"{deployment.name}-release", serving)
        self.dead_letters = dead_letter_queue(self, "DeadLetters")
        self.rule = self._start_on_approval(deployment.storage.package_group)

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric that Step Functions emits about the state machine, such as `ExecutionsFailed`."""
        return executions_metric(self.machine, name)

    def metric_endpoint(self, name: str) -> cloudwatch.Metric:
        """A metric that SageMaker emits about the endpoint, such as `ModelLatency` (microseconds)."""
        return cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            dimensions_map={"EndpointName": self._endpoint, "VariantName": VARIANT},
        )

    def metric_dead_letters(self) -> cloudwatch.Metric:
        """Approvals that could not be delivered."""
        return queue_metric(self.dead_letters, "ApproximateNumberOfMessagesVisible")

    def metric_undelivered(self) -> cloudwatch.Metric:
        """Approvals whose delivery failed for good."""
        return rule_metric(self.rule.ref)

    def _verify_allows(self, storage: Storage) -> list[Allow]:
        places = (f"{RUNS_PREFIX}*/train/*", f"{RUNS_PREFIX}*/evaluate/evaluation/*")
        return [
            read_packages(self, storage.package_group),
            read_objects(storage.artifacts_arn, *places),
            list_objects(storage.artifacts_arn, RUNS_PREFIX),
            use_key(self, storage.key_arn),
        ]

    def _make_machine(self, name: str, serving: iam.Role) -> stepfunctions.CfnStateMachine:
        deployment = self._deployment
        parameter = live_parameter(deployment.environment_name, deployment.model)
        definition = ReleaseDefinition(
            verify_function_arn=self.function.function.function_arn,
            serving_role_arn=serving.role_arn,
            # SageMaker does not offer it for serverless endpoints.
            isolated=deployment.serving.mode != "serverless",
            endpoint=self._endpoint_states() if deployment.serving.has_endpoint else None,
            retirement=None if deployment.serving.has_endpoint else self._retirement(),
            release=deployment.settings.release,
            live_parameter=parameter,
            model=deployment.model,
        )
        machine_role = state_machine_role(
            self,
            name=name,
            endpoint=self._endpoint,
            mode=deployment.serving,
            storage=deployment.storage,
            verify_function_arn=self.function.function.function_arn,
            serving_role_arn=serving.role_arn,
            live_parameter=parameter,
        )
        return state_machine(
            self, deployment=deployment, name=name, role=machine_role, definition=definition.to_dict()
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

    def _retirement(self) -> Retirement:
        return Retirement(
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
        start = Allow(actions=["states:StartExecution"], resources=[self.machine.attr_arn])
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
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": [group],
                    "ModelApprovalStatus": ["Approved"],
                    # A package approved long ago tells of its status with every edit of its metadata.
                    "$or": [
                        {"UpdatedModelPackageFields": [{"anything-but": list(EDITS)}]},
                        {"UpdatedModelPackageFields": [{"exists": False}]},
                    ],
                },
            },
            targets=[
                {
                    "id": "Release",
                    "arn": self.machine.attr_arn,
                    "roleArn": starter.role_arn,
                    "deadLetterConfig": {"arn": self.dead_letters.queue_arn},
                }
            ],
        )
        self.dead_letters.add_to_resource_policy(
            iam.PolicyStatement(
                sid="UndeliveredApprovals",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.dead_letters.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        return rule
