"""The operations on endpoints: created, updated, resized, described and deleted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from local.sagemaker import refuse
from local.sagemaker.endpoints.baking import alarm_states
from local.sagemaker.endpoints.deployment_policy import Policy, policy_of
from local.sagemaker.endpoints.hosting import Hosting
from local.sagemaker.endpoints.updates import Updates
from local.sagemaker.endpoints.variant import Variant
from local.sagemaker.errors import invalid, not_implemented
from local.sagemaker.iam import require_grant
from local.sagemaker.quotas import of_configuration, use_of
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.shapes import output_shape, project
from local.sagemaker.state import ENDPOINT, ENDPOINT_CONFIG, Record, now

_IN_PROGRESS = ("Creating", "Updating", "RollingBack", "Deleting")


class Endpoints:
    """Validates requests, notes what is to be done in the endpoint's record, and has it done on a thread."""

    def __init__(self, backend: Backend) -> None:
        self._cloud = backend.cloud
        self._state = backend.state
        self._quotas = backend.quotas
        self.hosting = Hosting(backend.state)
        self._updates = Updates(backend, self.hosting)

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {
            "CreateEndpoint": self._create,
            "UpdateEndpoint": self._update,
            "UpdateEndpointWeightsAndCapacities": self._resize,
            "DescribeEndpoint": self._describe,
            "DeleteEndpoint": self._delete,
        }

    def _create(self, call: Call) -> dict[str, Any]:
        config = self._config(call)
        deployment = call.get("DeploymentConfig")
        policy_of(deployment or {})
        members = {"EndpointConfigName": call["EndpointConfigName"], "EndpointStatus": "Creating"}
        pending = {"EndpointConfigName": config["EndpointConfigName"], "StartTime": now()}
        record = self._state.add(
            ENDPOINT,
            call["EndpointName"],
            {**members, "PendingDeploymentSummary": pending, "LastDeploymentConfig": deployment},
        )
        self._state.tags[record["EndpointArn"]] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
        self._updates.announce(record)
        self._in_background(self._updates.deploy, record, config, Policy())
        return {"EndpointArn": record["EndpointArn"]}

    def _update(self, call: Call) -> dict[str, Any]:
        config = self._config(call)
        deployment = _deployment_config(call, self._state.get(ENDPOINT, call["EndpointName"]))
        policy = policy_of(deployment)
        self._check_alarms(call, policy)  # asks CloudWatch, so never while the lock is held
        with self._state.lock:
            record = self._idle(call["EndpointName"])
            if record["EndpointStatus"] == "Failed":
                raise invalid(f'Cannot update failed endpoint "{record["EndpointArn"]}": delete it.')
            self._check_change(record, config, policy, guarded=bool(deployment))
            pending = {"EndpointConfigName": config["EndpointConfigName"], "StartTime": now()}
            record = self._updates.set(
                record,
                "Updating",
                PendingDeploymentSummary=pending,
                LastDeploymentConfig=deployment or None,
                FailureReason=None,
            )
        self._updates.announce(record)
        self._in_background(self._updates.deploy, record, config, policy, _retained(call))
        return {"EndpointArn": record["EndpointArn"]}

    def _resize(self, call: Call) -> dict[str, Any]:
        with self._state.lock:
            record = self._idle(call["EndpointName"])
            fleet = self.hosting.of(record["EndpointArn"]).current
            if fleet is None or record["EndpointStatus"] != "InService":
                raise invalid(f'Endpoint "{record["EndpointArn"]}" is not in service.')
            for wanted in call["DesiredWeightsAndCapacities"]:
                refuse.beyond(wanted, "ServerlessUpdateConfig")
                refuse.unless(wanted.get("DesiredInstanceCount") == 0, "a variant without instances", False)
                name = wanted["VariantName"]
                if fleet.shadow is not None and name == fleet.shadow.name:
                    raise not_implemented("UpdateEndpointWeightsAndCapacities of a shadow variant")
                if name not in fleet.variants:
                    raise invalid(f"Could not find variant {name} of the endpoint.")
                if fleet.variants[name].serverless:
                    raise invalid(f"Variant {name} is serverless: it has no instances.")
                self._check_quota(fleet.variants[name], wanted)
            record = self._updates.set(record, "Updating")
            before = {name: (each.instances, each.weight) for name, each in fleet.variants.items()}
            for wanted in call["DesiredWeightsAndCapacities"]:
                variant = fleet.variants[wanted["VariantName"]]
                variant.instances = wanted.get("DesiredInstanceCount", variant.instances)
                variant.weight = wanted.get("DesiredWeight", variant.weight)
        self._updates.announce(record)
        self._in_background(self._updates.resize, record, fleet, before)
        return {"EndpointArn": record["EndpointArn"]}

    def _check_quota(self, variant: Variant, wanted: Mapping[str, Any]) -> None:
        more = wanted.get("DesiredInstanceCount", variant.instances) - variant.instances
        use = use_of(variant.settings["InstanceType"], "endpoint")
        self._quotas.check({use: more}, self.hosting.uses())

    def _delete(self, call: Call) -> dict[str, Any]:
        with self._state.lock:
            record = self._updates.set(self._idle(call["EndpointName"]), "Deleting")
            fleets = self.hosting.remove(record["EndpointArn"])
        self._updates.announce(record)
        self._in_background(self._updates.remove, record, fleets)
        return {}

    def _describe(self, call: Call) -> dict[str, Any]:
        record = self._updates.described(self._state.get(ENDPOINT, call["EndpointName"]))
        return project(record, output_shape(call.operation))

    def _config(self, call: Call) -> Record:
        """The configuration that a request deploys; its caller must be allowed to use it, too."""
        call.require(
            f"sagemaker:{call.operation}", self._state.arn(ENDPOINT_CONFIG, call["EndpointConfigName"])
        )
        config = self._state.get(ENDPOINT_CONFIG, call["EndpointConfigName"])
        require_grant(call.access_key, self._cloud, config.get("KmsKeyId"), None)
        self._quotas.check(of_configuration(config), self.hosting.uses())
        return config

    def _check_change(self, record: Record, config: Record, policy: Policy, *, guarded: bool) -> None:
        """Refuse a change that SageMaker cannot make of this endpoint, or not in this way."""
        current = self.hosting.of(record["EndpointArn"]).current
        if current is None:
            return
        new = {variant["VariantName"]: variant for variant in config["ProductionVariants"]}
        serverless = any("ServerlessConfig" in variant for variant in new.values())
        if serverless and not any(variant.serverless for variant in current.variants.values()):
            raise invalid("An endpoint with instances cannot be updated to serverless: delete it first.")
        if not guarded:
            return
        if new.keys() != current.variants.keys():
            raise invalid(
                f"The new endpoint configuration must have the same variant names as the old one: "
                f"{', '.join(sorted(current.variants))}."
            )
        if policy.type == "ALL_AT_ONCE":
            return
        if record["EndpointStatus"] == "UpdateRollbackFailed":
            raise not_implemented(f"{policy.type} of an endpoint that is UpdateRollbackFailed")
        if serverless:
            raise invalid(f"A serverless endpoint cannot be updated by {policy.type}.")
        if policy.rolling and len(new) > 1:
            raise invalid("An endpoint with several variants cannot be updated by a rolling deployment.")
        if any("ShadowProductionVariants" in each for each in (config, current.config)):
            raise not_implemented(f"{policy.type} of an endpoint with a shadow variant")
        policy.check({name: variant.get("InitialInstanceCount", 1) for name, variant in new.items()})

    def _check_alarms(self, call: Call, policy: Policy) -> None:
        """Rollback alarms must exist, and the caller be allowed to look at them."""
        for name in policy.alarms:
            arn = f"arn:aws:cloudwatch:{self._cloud.region}:{self._cloud.account}:alarm:{name}"
            call.require("cloudwatch:DescribeAlarms", arn)
        if missing := set(policy.alarms) - alarm_states(self._cloud, policy.alarms).keys():
            raise invalid(f"Could not find the alarms {', '.join(sorted(missing))}.")

    def _idle(self, name: str) -> Record:
        record = self._state.get(ENDPOINT, name)
        if record["EndpointStatus"] in _IN_PROGRESS:
            raise invalid(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
        return record

    def _in_background(self, work: Callable[..., None], record: Record, *arguments: Any) -> None:
        name = f"endpoint-{record['EndpointName']}"
        threading.Thread(target=work, args=(record, *arguments), name=name, daemon=True).start()


def _deployment_config(call: Call, record: Record) -> dict[str, Any]:
    """The deployment configuration of an update: its own, the last one where it is retained, or none."""
    own: dict[str, Any] = call.get("DeploymentConfig") or {}
    if not call.get("RetainDeploymentConfig"):
        return own
    if own:
        raise not_implemented("DeploymentConfig together with RetainDeploymentConfig")
    return record.get("LastDeploymentConfig") or {}


def _retained(call: Call) -> frozenset[str]:
    """The properties that variants keep over an update: all that are not excluded, where they are to."""
    if not call.get("RetainAllVariantProperties"):
        return frozenset()
    excluded = {item["VariantPropertyType"] for item in call.get("ExcludeRetainedVariantProperties", [])}
    return frozenset({"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"} - excluded)
