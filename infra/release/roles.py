"""The roles of a release: the state machine's, the model server's, and the event rule's."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from contract.layout import CAPTURED_PREFIX, RUNS_PREFIX
from infra.kit.iam import (
    Allow,
    arn,
    list_objects,
    locate_buckets,
    pass_role,
    read_objects,
    role,
    use_key,
    write_objects,
)
from infra.kit.sagemaker_iam import lend_key, read_packages, telemetry
from infra.kit.state_machine import log_delivery
from infra.kit.storage_names import Storage
from infra.settings.model import ModelServingSettings

_MADE_OF = (("model", "-*"), ("model-package", "/*"))
_NAMED = "Packages, models and configurations are named after the version they hold."


def serving_role(
    scope: Construct, *, endpoint: str, mode: ModelServingSettings, storage: Storage, pull: Iterable[Allow]
) -> iam.Role:
    """A role under which the model server runs behind an endpoint: it loads models, captures and logs.

    Without an endpoint now, there may be one of earlier days, which serves under this role until the next
    release deletes it.
    It is retained: a model that is live runs under it, and knows of no stack.
    """
    captured = [f"{CAPTURED_PREFIX}{endpoint}/*"] if mode.has_instances else []
    made = role(
        scope,
        "ServingRole",
        service="sagemaker.amazonaws.com",
        description=f"The model server of {endpoint}",
        allows=[
            read_objects(storage.artifacts_arn, f"{RUNS_PREFIX}*/train/*"),
            list_objects(storage.artifacts_arn, RUNS_PREFIX),
            locate_buckets(storage.artifacts_arn),
            *([write_objects(storage.artifacts_arn, *captured)] if captured else []),
            use_key(scope, storage.key_arn),
            *telemetry(scope, f"/aws/sagemaker/Endpoints/{endpoint}"),
            *pull,
        ],
    )
    made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    return made


def scale(scope: Construct, endpoint: str) -> list[Allow]:
    """Put autoscaling on the variants of one endpoint, and take it off again.

    Application Auto Scaling lets nobody do by its means what they may not do themselves: the caller
    needs its permissions on SageMaker and on the alarms of target tracking.
    """
    service = "sagemaker.application-autoscaling.amazonaws.com"
    linked = f"aws-service-role/{service}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    account = cdk.Stack.of(scope).account
    return [
        _autoscaling(scope, "DeregisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"),
        Allow(
            actions=["sagemaker:UpdateEndpointWeightsAndCapacities"],
            resources=[arn(scope, "sagemaker", f"endpoint/{endpoint}")],
        ),
        Allow(
            actions=["sagemaker:DescribeEndpointConfig"],
            resources=[arn(scope, "sagemaker", f"endpoint-config/{endpoint}-*")],
            because=_NAMED,
        ),
        _tracking_alarms(scope, endpoint, "DeleteAlarms", "DescribeAlarms", "PutMetricAlarm"),
        Allow(
            actions=["iam:CreateServiceLinkedRole"],
            resources=[f"arn:{cdk.Aws.PARTITION}:iam::{account}:role/{linked}"],
            when={"StringEquals": {"iam:AWSServiceName": service}},
        ),
    ]


def _autoscaling(scope: Construct, *actions: str) -> Allow:
    return Allow(
        actions=[f"application-autoscaling:{action}" for action in actions],
        resources=[arn(scope, "application-autoscaling", "scalable-target/*")],
        when={
            "StringEquals": {
                "application-autoscaling:service-namespace": "sagemaker",
                "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
            }
        },
        because="A scalable target's id is made when it is registered; SageMaker bounds the endpoint.",
    )


def _tracking_alarms(scope: Construct, endpoint: str, *actions: str) -> Allow:
    return Allow(
        actions=[f"cloudwatch:{action}" for action in actions],
        resources=[arn(scope, "cloudwatch", f"alarm:TargetTracking-endpoint/{endpoint}/variant/*")],
        because="Application Auto Scaling names the alarms of target tracking.",
    )


def put_on_endpoint(
    scope: Construct, *, endpoint: str, mode: ModelServingSettings, storage: Storage
) -> list[Allow]:
    """Create, update, replace and describe one endpoint, and scale it where it has instances."""
    the_endpoint = arn(scope, "sagemaker", f"endpoint/{endpoint}")
    configuration = arn(scope, "sagemaker", f"endpoint-config/{storage.package_group}-*")
    return [
        Allow(actions=["sagemaker:CreateEndpointConfig"], resources=[configuration], because=_NAMED),
        Allow(
            actions=["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"],
            resources=[the_endpoint, configuration],
            because=_NAMED,
        ),
        Allow(actions=["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"], resources=[the_endpoint]),
        *(scale(scope, endpoint) if mode.has_instances else []),
        *lend_key(storage.key_arn),
    ]


def delete_endpoint(scope: Construct, endpoint: str) -> list[Allow]:
    """Delete one endpoint, its autoscaling and the alarms of that."""
    return [
        Allow(
            actions=["sagemaker:DeleteEndpoint"], resources=[arn(scope, "sagemaker", f"endpoint/{endpoint}")]
        ),
        _autoscaling(scope, "DeregisterScalableTarget"),
        _tracking_alarms(scope, endpoint, "DeleteAlarms", "DescribeAlarms"),
    ]


def state_machine_role(
    scope: Construct,
    *,
    name: str,
    endpoint: str,
    mode: ModelServingSettings,
    storage: Storage,
    verify_function_arn: str,
    serving_role_arn: str,
    live_parameter: str,
) -> iam.Role:
    """A role that makes this model's versions live, on its endpoint if any, and says so in one parameter."""
    group = storage.package_group
    # AWS's own least-privilege policies allow it on the packages, too; the reference names the model alone.
    models = [arn(scope, "sagemaker", f"{kind}/{group}{end}") for kind, end in _MADE_OF]
    return role(
        scope,
        "StateMachineRole",
        service="states.amazonaws.com",
        description=f"Executions of {name}",
        allows=[
            Allow(actions=["lambda:InvokeFunction"], resources=[verify_function_arn]),
            read_packages(scope, group),
            Allow(actions=["sagemaker:CreateModel"], resources=models, because=_NAMED),
            *(
                put_on_endpoint(scope, endpoint=endpoint, mode=mode, storage=storage)
                if mode.has_endpoint
                else [
                    Allow(
                        actions=["ssm:GetParameter"],
                        resources=[arn(scope, "ssm", f"parameter{live_parameter}")],
                    ),
                    *delete_endpoint(scope, endpoint),
                ]
            ),
            pass_role([serving_role_arn], service="sagemaker.amazonaws.com"),
            Allow(actions=["ssm:PutParameter"], resources=[arn(scope, "ssm", f"parameter{live_parameter}")]),
            log_delivery(),
        ],
    )
