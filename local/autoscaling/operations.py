"""The operations of Application Auto Scaling that target tracking of a variant needs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from local.autoscaling import linked_role
from local.autoscaling.targets import DIMENSION, NAMESPACE, Target, Targets, split
from local.cloud.seam import Cloud
from local.sagemaker import refuse, shapes
from local.sagemaker.errors import ServiceError, invalid, not_implemented
from local.sagemaker.iam import require
from local.sagemaker.service import Response, respond
from local.sagemaker.state import now

logger = logging.getLogger(__name__)

_METRIC = "SageMakerVariantInvocationsPerInstance"
_NEEDED_OF_SAGEMAKER = ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities")
Arguments = Mapping[str, Any]


class AutoScaling:
    """Answers requests. What is registered is acted upon by the scaler."""

    def __init__(self, cloud: Cloud, targets: Targets) -> None:
        self._cloud = cloud
        self._targets = targets
        self._operations: dict[str, Callable[[Arguments, str], dict[str, Any]]] = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "DescribeScalableTargets": self._describe_targets,
            "PutScalingPolicy": self._put_policy,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingPolicies": self._describe_policies,
        }

    def respond(self, operation: str, body: bytes, access_key: str) -> Response:
        """Answer a request of the JSON protocol."""
        try:
            answer = self._call(operation, json.loads(body or b"{}"), access_key)
        except ServiceError as error:
            return respond(error.status, {"__type": error.code, "message": error.message})
        except Exception:
            logger.exception("Application Auto Scaling %s failed", operation)
            return respond(500, {"__type": "InternalServiceException", "message": "see the cloud's log"})
        return respond(200, answer)

    def _call(self, operation: str, arguments: Arguments, access_key: str) -> dict[str, Any]:
        run = self._operations.get(operation)
        if run is None:
            raise not_implemented(f"Application Auto Scaling {operation}")
        shapes.check(operation, arguments, "application-autoscaling")
        refuse.unless(arguments["ServiceNamespace"], "ServiceNamespace", NAMESPACE)
        refuse.unless(arguments.get("ScalableDimension"), "ScalableDimension", DIMENSION)
        self._authorise(operation, arguments, access_key)
        return run(arguments, access_key)

    def _authorise(self, operation: str, arguments: Arguments, access_key: str) -> None:
        """Here and not at the gateway, which knows neither this service's ARNs nor its condition keys."""
        if operation.startswith("Describe"):
            self._require(access_key, f"application-autoscaling:{operation}", "*")
            return
        keys = {
            "application-autoscaling:service-namespace": arguments["ServiceNamespace"],
            "application-autoscaling:scalable-dimension": arguments["ScalableDimension"],
        }
        self._require(
            access_key, f"application-autoscaling:{operation}", self._arn(arguments["ResourceId"]), keys
        )

    def _require(
        self, access_key: str, action: str, resource: str, keys: Mapping[str, str] | None = None
    ) -> None:
        require(access_key, action, resource, self._cloud.region, keys)

    def _register(self, arguments: Arguments, access_key: str) -> dict[str, Any]:
        resource_id = arguments["ResourceId"]
        endpoint, variant = _endpoint_and_variant(resource_id)
        for action in _NEEDED_OF_SAGEMAKER:
            # Of whoever asks: nobody gets at SageMaker by way of this service.
            self._require(
                access_key, f"sagemaker:{action}", self._regional("sagemaker", f"endpoint/{endpoint}")
            )
        if not linked_role.exists(self._cloud):
            self._require(
                access_key,
                "iam:CreateServiceLinkedRole",
                linked_role.role_arn(self._cloud),
                {"iam:AWSServiceName": linked_role.PRINCIPAL},
            )
            linked_role.create(self._cloud)
        config = self._config_of(endpoint, variant)
        config_arn = self._regional("sagemaker", f"endpoint-config/{config}")
        self._require(access_key, "sagemaker:DescribeEndpointConfig", config_arn)
        known = self._targets.find(resource_id)
        record = {
            "ServiceNamespace": NAMESPACE,
            "ScalableDimension": DIMENSION,
            "CreationTime": now(),
            "SuspendedState": {},
            **(known.record if known else {}),
            **{name: value for name, value in arguments.items() if name not in ("Tags", "RoleARN")},
            "RoleARN": linked_role.role_arn(self._cloud),
            "ScalableTargetARN": self._arn(resource_id),
        }
        if not {"MinCapacity", "MaxCapacity"} <= record.keys():
            raise invalid("MinCapacity and MaxCapacity are required to register a new scalable target.")
        if record["MaxCapacity"] < record["MinCapacity"]:
            raise invalid("Maximum capacity cannot be less than minimum capacity.")
        self._targets.put(resource_id, record)
        return {"ScalableTargetARN": record["ScalableTargetARN"]}

    def _config_of(self, endpoint: str, variant: str) -> str:
        """The endpoint's configuration; the endpoint must have the variant."""
        try:
            described = linked_role.sagemaker(self._cloud).describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            raise invalid(error.response["Error"]["Message"]) from error
        variants = {each["VariantName"]: each for each in described.get("ProductionVariants", [])}
        if "CurrentInstanceCount" not in variants.get(variant, {}):
            raise invalid(f"Variant {variant} of endpoint {endpoint} was not found, or has no instances.")
        return str(described["EndpointConfigName"])

    def _deregister(self, arguments: Arguments, access_key: str) -> dict[str, Any]:
        target = self._target(arguments)
        if target.policies:
            self._require_alarms(access_key, arguments["ResourceId"], "DeleteAlarms")
        self._targets.remove(arguments["ResourceId"])
        return {}

    def _put_policy(self, arguments: Arguments, access_key: str) -> dict[str, Any]:
        refuse.unless(
            arguments.get("PolicyType", "TargetTrackingScaling"), "PolicyType", "TargetTrackingScaling"
        )
        configuration = arguments.get("TargetTrackingScalingPolicyConfiguration")
        if configuration is None:
            raise invalid("Target tracking scaling policy configuration is required.")
        refuse.beyond(configuration, "CustomizedMetricSpecification")
        metric = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        refuse.unless(metric, "PredefinedMetricType", _METRIC)
        self._require_alarms(access_key, arguments["ResourceId"], "PutMetricAlarm", "DescribeAlarms")
        target, name = self._target(arguments), arguments["PolicyName"]
        arn = target.policies.get(name, {}).get("PolicyARN") or self._regional(
            "autoscaling",
            f"scalingPolicy:{uuid4()}:resource/sagemaker/{arguments['ResourceId']}:policyName/{name}",
        )
        policy = {"CreationTime": now(), **arguments, "PolicyType": "TargetTrackingScaling", "PolicyARN": arn}
        target.policies = {**target.policies, name: policy}
        return {"PolicyARN": arn, "Alarms": []}  # the scaler looks at the metric itself

    def _delete_policy(self, arguments: Arguments, access_key: str) -> dict[str, Any]:
        target = self._target(arguments)
        if arguments["PolicyName"] not in target.policies:
            raise _missing(f"No scaling policy found for name: {arguments['PolicyName']}")
        self._require_alarms(access_key, arguments["ResourceId"], "DeleteAlarms")
        target.policies = {n: p for n, p in target.policies.items() if n != arguments["PolicyName"]}
        return {}

    def _describe_targets(self, arguments: Arguments, _access_key: str) -> dict[str, Any]:
        wanted = arguments.get("ResourceIds")
        records = [target.record for target in self._targets.all()]
        return {"ScalableTargets": [r for r in records if wanted is None or r["ResourceId"] in wanted]}

    def _describe_policies(self, arguments: Arguments, _access_key: str) -> dict[str, Any]:
        names, resource_id = arguments.get("PolicyNames"), arguments.get("ResourceId")
        policies = [policy for target in self._targets.all() for policy in target.policies.values()]
        return {
            "ScalingPolicies": [
                policy
                for policy in policies
                if (names is None or policy["PolicyName"] in names)
                and resource_id in (None, policy["ResourceId"])
            ]
        }

    def _target(self, arguments: Arguments) -> Target:
        target = self._targets.find(arguments["ResourceId"])
        if target is None:
            raise _missing(
                f"No scalable target found for service namespace: {NAMESPACE}, resource ID: "
                f"{arguments['ResourceId']}, scalable dimension: {DIMENSION}"
            )
        return target

    def _require_alarms(self, access_key: str, resource_id: str, *actions: str) -> None:
        """The caller must be allowed the alarms that this service makes and deletes for a policy."""
        for action in actions:
            alarm = self._regional("cloudwatch", f"alarm:TargetTracking-{resource_id}-AlarmHigh")
            self._require(access_key, f"cloudwatch:{action}", alarm)

    def _arn(self, resource_id: str) -> str:
        mark = hashlib.sha256(resource_id.encode()).hexdigest()[:36]
        return self._regional("application-autoscaling", f"scalable-target/{mark}")

    def _regional(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._cloud.region}:{self._cloud.account}:{resource}"


def _endpoint_and_variant(resource_id: str) -> tuple[str, str]:
    try:
        return split(resource_id)
    except ValueError:
        raise invalid(f"Unsupported resource ID: {resource_id}") from None


def _missing(message: str) -> ServiceError:
    return ServiceError("ObjectNotFoundException", message)
