"""Release: an approved model package becomes what the endpoint serves, or pages."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from contract.layout import RUNS_PREFIX, live_parameter
from contract.serving import MODEL_VERSION_VARIABLE
from infra.function import Function
from infra.image import Image
from infra.log_group import LogGroup
from infra.permissions import (
    Allow,
    acknowledge,
    lend_key,
    list_objects,
    pass_role,
    read_objects,
    role,
    use_key,
)
from infra.release_definition import VARIANT, release_definition
from infra.settings import Environment
from infra.storage import Storage
from infra.training import sagemaker_telemetry
from infra.upload_queue import dead_letter_queue, queue_metric, rule_metric

VERIFY_TIMEOUT_SECONDS = 120


class Release(Construct):
    """The state machine `<name>-release`, what starts it, and the role the model serves under."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        environment_name: str,
        model: str,
        environment: Environment,
        storage: Storage,
        image: Image,
        endpoint: str,
        code: lambda_.Code,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        self._storage = storage
        self._endpoint = endpoint
        self._live_parameter = live_parameter(environment_name, model)
        self.function = Function(
            self,
            "VerifyPackage",
            name="verify_package",
            prefix=name,
            code=code,
            key_arn=storage.key_arn,
            log_days=environment.retention.log_days,
            variables={
                "ENVIRONMENT": environment_name,
                "MODEL": model,
                "ARTIFACTS_BUCKET": storage.artifacts_bucket,
            },
            timeout_seconds=VERIFY_TIMEOUT_SECONDS,
            memory_mib=1024,
            description="Checks that a package's artifact is the one that was evaluated",
            allows=[
                Allow(
                    actions=["sagemaker:DescribeModelPackage"],
                    resources=[self._package_arn()],
                    because="A package's version is given when it is registered.",
                ),
                read_objects(
                    storage.artifacts_arn, f"{RUNS_PREFIX}*/train/*", f"{RUNS_PREFIX}*/evaluate/evaluation/*"
                ),
                list_objects(storage.artifacts_arn, RUNS_PREFIX),
                use_key(self, storage.key_arn),
            ],
        )
        serving_role = role(
            self,
            "ServingRole",
            service="sagemaker.amazonaws.com",
            description=f"The model server behind {endpoint}",
            allows=[
                read_objects(storage.artifacts_arn, f"{RUNS_PREFIX}*/train/*"),
                list_objects(storage.artifacts_arn, RUNS_PREFIX),
                use_key(self, storage.key_arn),
                *sagemaker_telemetry(self, f"/aws/sagemaker/Endpoints/{endpoint}"),
                *image.pull,
            ],
        )
        logs = LogGroup(
            self,
            "Logs",
            name=f"/aws/vendedlogs/states/{name}-release",
            key_arn=storage.key_arn,
            days=environment.retention.log_days,
        )
        self.machine = stepfunctions.CfnStateMachine(
            self,
            "StateMachine",
            state_machine_name=f"{name}-release",
            role_arn=self._machine_role(serving_role).role_arn,
            definition_string=cdk.Stack.of(self).to_json_string(
                release_definition(
                    verify_function_arn=self.function.function.function_arn,
                    endpoint=endpoint,
                    serving_role_arn=serving_role.role_arn,
                    key_arn=storage.key_arn,
                    instance_type=environment.serving.instance_type,
                    instances=environment.serving.instances,
                    model_version_variable=MODEL_VERSION_VARIABLE,
                    live_parameter=self._live_parameter,
                    model=model,
                    poll_seconds=environment.release.poll_seconds,
                    timeout_seconds=environment.release.timeout_minutes * 60,
                )
            ),
            logging_configuration=stepfunctions.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=True,
                destinations=[
                    stepfunctions.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=stepfunctions.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=f"{logs.arn}:*"
                        )
                    )
                ],
            ),
        )
        self.machine.node.add_dependency(logs)
        history = "Each state's input, output and duration are in the execution's history and log."
        rules = ("AwsSolutions-SF2", "Serverless-StepFunctionStateMachineXray")
        acknowledge(self.machine, dict.fromkeys(rules, history))
        self.dead_letters = dead_letter_queue(self, "DeadLetters")
        self.rule = self._start_on_approval()

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric that Step Functions emits about the state machine, such as `ExecutionsFailed`."""
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=name,
            dimensions_map={"StateMachineArn": self.machine.attr_arn},
        )

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

    def _start_on_approval(self) -> events.CfnRule:
        starter = role(
            self,
            "StarterRole",
            service="events.amazonaws.com",
            description=f"Starts {self._name}-release",
            allows=[Allow(actions=["states:StartExecution"], resources=[self.machine.attr_arn])],
        )
        rule = events.CfnRule(
            self,
            "Rule",
            description="An approved model package is released",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {
                    "ModelPackageGroupName": [self._storage.package_group],
                    "ModelApprovalStatus": ["Approved"],
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Release",
                    arn=self.machine.attr_arn,
                    role_arn=starter.role_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.dead_letters.queue_arn
                    ),
                )
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

    def _machine_role(self, serving_role: iam.Role) -> iam.Role:
        stack = cdk.Stack.of(self)
        group = self._storage.package_group
        endpoint = self._arn("endpoint", self._endpoint)
        configuration = self._arn("endpoint-config", f"{group}-*")
        named = "Models and configurations are named after the version they hold."
        return role(
            self,
            "StateMachineRole",
            service="states.amazonaws.com",
            description=f"Executions of {self._name}-release",
            allows=[
                Allow(actions=["lambda:InvokeFunction"], resources=[self.function.function.function_arn]),
                Allow(
                    actions=["sagemaker:CreateModel"],
                    resources=[self._arn("model", f"{group}-*")],
                    because=named,
                ),
                Allow(
                    actions=["sagemaker:DescribeModelPackage"], resources=[self._package_arn()], because=named
                ),
                Allow(actions=["sagemaker:CreateEndpointConfig"], resources=[configuration], because=named),
                Allow(
                    actions=["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"],
                    resources=[endpoint, configuration],
                    because=named,
                ),
                Allow(
                    actions=["sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint"], resources=[endpoint]
                ),
                pass_role([serving_role.role_arn], service="sagemaker.amazonaws.com"),
                lend_key(self._storage.key_arn),
                Allow(
                    actions=["ssm:PutParameter"],
                    resources=[
                        f"arn:{stack.partition}:ssm:{stack.region}:{stack.account}"
                        f":parameter{self._live_parameter}"
                    ],
                ),
                Allow(
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
                ),
            ],
        )

    def _package_arn(self) -> str:
        return self._arn("model-package", f"{self._storage.package_group}/*")

    def _arn(self, kind: str, name: str) -> str:
        stack = cdk.Stack.of(self)
        return f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:{kind}/{name}"
