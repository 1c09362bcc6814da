"""Endpoints: created, updated blue/green with rollback, deleted; each backed by running servers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from typing import Any

from local.sagemaker import events, refuse
from local.sagemaker.endpoints.fleet import Fleet, Variant
from local.sagemaker.endpoints.server import ModelServer, UnhealthyError
from local.sagemaker.errors import ServiceError, invalid
from local.sagemaker.iam import require_grant
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.shapes import output_shape, project
from local.sagemaker.state import ENDPOINT, ENDPOINT_CONFIG, Record, now

logger = logging.getLogger(__name__)

_IN_PROGRESS = ("Creating", "Updating", "RollingBack", "Deleting")


class Endpoints:
    """The operations on endpoints, and the fleets that serve."""

    def __init__(self, backend: Backend) -> None:
        self._cloud = backend.cloud
        self._state = backend.state
        self._serving: dict[str, Fleet] = {}

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {
            "CreateEndpoint": self._create,
            "UpdateEndpoint": self._update,
            "UpdateEndpointWeightsAndCapacities": self._resize,
            "DescribeEndpoint": self._describe,
            "DeleteEndpoint": self._delete,
        }

    @contextmanager
    def server(self, endpoint: str, variant: str | None) -> Iterator[tuple[ModelServer, Variant]]:
        """The server that answers an invocation now, and its variant.

        It is not stopped by an update or by scaling before it has answered.

        Raises:
            ServiceError: no such endpoint is in service, or it has no such variant.
        """
        with self._state.lock:
            fleet = self._serving.get(self._state.arn(ENDPOINT, endpoint))
            if fleet is None:
                account = self._cloud.account
                raise ServiceError("ValidationError", f"Endpoint {endpoint} of account {account} not found.")
            chosen = fleet.choose(variant)
            if chosen is None:
                raise ServiceError("ValidationError", f"Variant {variant} of endpoint {endpoint} not found.")
            chosen[0].acquire()
        try:
            yield chosen
        finally:
            chosen[0].release()

    def _create(self, call: Call) -> dict[str, Any]:
        refuse.beyond(call.arguments, "DeploymentConfig")
        config = self._config(call)
        members = {"EndpointConfigName": call["EndpointConfigName"], "EndpointStatus": "Creating"}
        record = self._state.add(ENDPOINT, call["EndpointName"], members)
        self._state.tags[record["EndpointArn"]] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
        events.endpoint_changed(self._cloud, record)
        self._in_background(self._deploy, record, config)
        return {"EndpointArn": record["EndpointArn"]}

    def _update(self, call: Call) -> dict[str, Any]:
        deployment = call.get("DeploymentConfig", {})
        refuse.beyond(deployment, "RollingUpdatePolicy", "AutoRollbackConfiguration")
        routing = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
        refuse.unless(routing.get("Type"), "TrafficRoutingConfiguration.Type", "ALL_AT_ONCE")
        config = self._config(call)
        with self._state.lock:
            record = self._idle(call["EndpointName"])
            if record["EndpointStatus"] == "Failed":
                raise invalid(f'Cannot update failed endpoint "{record["EndpointArn"]}": delete it.')
            self._check_kind(record, config)
            pending = {"EndpointConfigName": config["EndpointConfigName"], "StartTime": now()}
            record = self._set(record, "Updating", PendingDeploymentSummary=pending, FailureReason=None)
        events.endpoint_changed(self._cloud, record)
        self._in_background(self._deploy, record, config, _retained(call))
        return {"EndpointArn": record["EndpointArn"]}

    def _resize(self, call: Call) -> dict[str, Any]:
        with self._state.lock:
            record = self._idle(call["EndpointName"])
            fleet = self._serving.get(record["EndpointArn"])
            if fleet is None:
                raise invalid(f'Endpoint "{record["EndpointArn"]}" is not in service.')
            for wanted in call["DesiredWeightsAndCapacities"]:
                refuse.beyond(wanted, "ServerlessUpdateConfig")
                refuse.unless(wanted.get("DesiredInstanceCount") == 0, "a variant without instances", False)
                if wanted["VariantName"] not in fleet.variants:
                    raise invalid(f"Could not find variant {wanted['VariantName']} of the endpoint.")
                if fleet.variants[wanted["VariantName"]].serverless:
                    raise invalid(f"Variant {wanted['VariantName']} is serverless: it has no instances.")
            record = self._set(record, "Updating")
            before = {name: variant.instances for name, variant in fleet.variants.items()}
            for wanted in call["DesiredWeightsAndCapacities"]:
                variant = fleet.variants[wanted["VariantName"]]
                variant.instances = wanted.get("DesiredInstanceCount", variant.instances)
                variant.weight = wanted.get("DesiredWeight", variant.weight)
        events.endpoint_changed(self._cloud, record)
        self._in_background(self._scale, record, fleet, before)
        return {"EndpointArn": record["EndpointArn"]}

    def _delete(self, call: Call) -> dict[str, Any]:
        with self._state.lock:
            record = self._set(self._idle(call["EndpointName"]), "Deleting")
            fleet = self._serving.pop(record["EndpointArn"], None)
        events.endpoint_changed(self._cloud, record)
        self._in_background(self._remove, record, fleet)
        return {}

    def _describe(self, call: Call) -> dict[str, Any]:
        record = self._state.get(ENDPOINT, call["EndpointName"])
        if fleet := self._serving.get(record["EndpointArn"]):
            record["ProductionVariants"] = [variant.summary() for variant in fleet.variants.values()]
            record["DataCaptureConfig"] = fleet.capture_summary()
        return project(record, output_shape(call.operation))

    def _config(self, call: Call) -> Record:
        """The configuration that a request deploys; its caller must be allowed to use it, too."""
        call.require(
            f"sagemaker:{call.operation}", self._state.arn(ENDPOINT_CONFIG, call["EndpointConfigName"])
        )
        config = self._state.get(ENDPOINT_CONFIG, call["EndpointConfigName"])
        require_grant(call.access_key, self._cloud, config.get("KmsKeyId"), None)
        return config

    def _check_kind(self, record: Record, config: Record) -> None:
        fleet = self._serving.get(record["EndpointArn"])
        serverless = any("ServerlessConfig" in variant for variant in config["ProductionVariants"])
        if fleet and serverless and not any(variant.serverless for variant in fleet.variants.values()):
            raise invalid("An endpoint with instances cannot be updated to serverless: delete it first.")

    def _idle(self, name: str) -> Record:
        record = self._state.get(ENDPOINT, name)
        if record["EndpointStatus"] in _IN_PROGRESS:
            raise invalid(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
        return record

    def _scale(self, record: Record, fleet: Fleet, before: Mapping[str, int]) -> None:
        """Bring the fleet to its new size; where an instance does not start, to the one it had."""
        reason = None
        try:
            fleet.scale()
        except UnhealthyError as error:
            reason = str(error)
            for name, instances in before.items():
                fleet.variants[name].instances = instances
        self._change(record, "InService", FailureReason=reason)

    def _deploy(self, record: Record, config: Record, retained: Set[str] = frozenset()) -> None:
        """Start the new fleet, switch to it when it is healthy, then stop the old one.

        `retained` are the properties that variants of the same name keep from the old fleet.
        """
        fleet: Fleet | None = None
        try:
            fleet = Fleet(self._cloud, self._state, record["EndpointName"], config)
            if old := self._serving.get(record["EndpointArn"]):
                fleet.inherit(old, retained)
            fleet.scale()
        except Exception as error:
            if not isinstance(error, UnhealthyError):
                logger.exception("endpoint %s", record["EndpointName"])
            self._roll_back(record, fleet, str(error))
            return
        with self._state.lock:
            old = self._serving.get(record["EndpointArn"])
            self._serving[record["EndpointArn"]] = fleet
        self._change(record, "InService", EndpointConfigName=fleet.config_name, PendingDeploymentSummary=None)
        if old is not None:
            old.drain()
            old.stop()

    def _roll_back(self, record: Record, failed: Fleet | None, reason: str) -> None:
        """Where an old fleet serves, it goes on serving, and the endpoint keeps its old configuration."""
        serves = record["EndpointArn"] in self._serving
        if serves:
            self._change(record, "RollingBack", FailureReason=reason)
        if failed is not None:
            failed.stop()
        status = "InService" if serves else "Failed"
        self._change(record, status, FailureReason=reason, PendingDeploymentSummary=None)

    def _remove(self, record: Record, fleet: Fleet | None) -> None:
        if fleet is not None:
            fleet.stop()
        self._state.remove(ENDPOINT, record["EndpointName"])

    def _change(self, record: Record, status: str, **members: Any) -> Record:
        changed = self._set(record, status, **members)
        events.endpoint_changed(self._cloud, changed)
        return changed

    def _set(self, record: Record, status: str, **members: Any) -> Record:
        """Only the record: events may run other code, so they are put where no lock is held."""
        return self._state.change(ENDPOINT, record["EndpointName"], EndpointStatus=status, **members)

    def _in_background(self, work: Callable[..., None], record: Record, *arguments: Any) -> None:
        name = f"endpoint-{record['EndpointName']}"
        threading.Thread(target=work, args=(record, *arguments), name=name, daemon=True).start()


def _retained(call: Call) -> frozenset[str]:
    """The properties that variants keep over an update: all that are not excluded, where they are to."""
    if not call.get("RetainAllVariantProperties"):
        return frozenset()
    excluded = {item["VariantPropertyType"] for item in call.get("ExcludeRetainedVariantProperties", [])}
    return frozenset({"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"} - excluded)
