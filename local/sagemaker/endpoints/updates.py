"""What is done about an endpoint after its request has been answered."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence, Set
from functools import partial
from typing import Any

from local.sagemaker import events
from local.sagemaker.endpoints.baking import Baking, RollbackError, ringing
from local.sagemaker.endpoints.deployment import Deployment, RollbackFailedError
from local.sagemaker.endpoints.deployment_policy import Policy
from local.sagemaker.endpoints.fleet import Fleet
from local.sagemaker.endpoints.hosting import Hosting
from local.sagemaker.endpoints.server import UnhealthyError
from local.sagemaker.service import Backend
from local.sagemaker.state import ENDPOINT, Record

logger = logging.getLogger(__name__)


class Updates:
    """Work on endpoints, each on a thread of its own; an endpoint has one at a time."""

    def __init__(self, backend: Backend, hosting: Hosting) -> None:
        self._cloud = backend.cloud
        self._state = backend.state
        self._hosting = hosting

    def deploy(
        self, record: Record, config: Record, policy: Policy, retained: Set[str] = frozenset()
    ) -> None:
        """Start the fleet of a configuration, shift the traffic to it, then stop the old one.

        `retained` are the properties that variants of the same name keep from the old fleet.
        """
        hosted = self._hosting.of(record["EndpointArn"])
        deployment: Deployment | None = None
        try:
            fleet = Fleet(self._cloud, self._state, record["EndpointName"], config)
            if hosted.current is not None:
                fleet.inherit(hosted.current, retained)
            deployment = Deployment(
                state=self._state,
                hosted=hosted,
                new=fleet,
                policy=policy,
                baking=Baking(
                    ringing=partial(ringing, self._cloud, policy.alarms),
                    timeout_seconds=policy.timeout_seconds,
                ),
                changed=partial(self._deployment_changed, record),
            )
            old = deployment.run()
        except Exception as error:
            if not isinstance(error, UnhealthyError | RollbackError):
                logger.exception("endpoint %s", record["EndpointName"])
            self._roll_back(record, deployment, str(error))
            return
        self._change(record, "InService", EndpointConfigName=fleet.config_name, PendingDeploymentSummary=None)
        _stop(old)

    def resize(self, record: Record, fleet: Fleet, before: Mapping[str, tuple[int, float]]) -> None:
        """Bring the fleet to its new size; where an instance does not start, to what it was."""
        try:
            fleet.scale()
        except UnhealthyError as error:
            self._change(record, "RollingBack", FailureReason=str(error))
            with self._state.lock:
                for name, (instances, weight) in before.items():
                    fleet.variants[name].instances, fleet.variants[name].weight = instances, weight
            fleet.scale()
            self._change(record, "InService", FailureReason=str(error))
            return
        self._change(record, "InService", FailureReason=None)

    def remove(self, record: Record, fleets: Sequence[Fleet]) -> None:
        """Stop everything that serves, and forget the endpoint."""
        for fleet in fleets:
            fleet.stop()
        self._state.remove(ENDPOINT, record["EndpointName"])

    def described(self, record: Record) -> Record:
        """The record with the variants that serve, and those of an update that is under way."""
        hosted = self._hosting.of(record["EndpointArn"])
        members: Record = {}
        if hosted.current is not None:
            members.update(_variants(hosted.current), DataCaptureConfig=hosted.current.capture_summary())
        pending = record.get("PendingDeploymentSummary")
        if pending and hosted.incoming is not None:
            members["PendingDeploymentSummary"] = {**pending, **_variants(hosted.incoming)}
        return {**record, **members}

    def announce(self, record: Record) -> None:
        """Put the event of a changed status. It may run other code: never while a lock is held."""
        events.endpoint_changed(self._cloud, self.described(record))

    def set(self, record: Record, status: str, **members: Any) -> Record:
        """Only the record, without the event."""
        return self._state.change(ENDPOINT, record["EndpointName"], EndpointStatus=status, **members)

    def _roll_back(self, record: Record, deployment: Deployment | None, reason: str) -> None:
        """Where an old fleet serves, it goes on serving, and the endpoint keeps its old configuration."""
        hosted = self._hosting.of(record["EndpointArn"])
        serves = hosted.current is not None
        status = "InService" if serves else "Failed"
        if hosted.mixed is not None:
            status = "UpdateRollbackFailed"
        if serves:
            self._change(record, "RollingBack", FailureReason=reason)
        try:
            if deployment is not None:
                deployment.roll_back()
        except RollbackFailedError as error:
            status, reason = "UpdateRollbackFailed", f"{reason} The rollback failed too: {error}"
        self._change(record, status, FailureReason=reason, PendingDeploymentSummary=None)

    def _deployment_changed(self, record: Record) -> None:
        current = self._state.get(ENDPOINT, record["EndpointName"])
        events.deployment_changed(self._cloud, self.described(current))

    def _change(self, record: Record, status: str, **members: Any) -> None:
        self.announce(self.set(record, status, **members))


def _variants(fleet: Fleet) -> Record:
    production = [variant.summary() for variant in fleet.variants.values()]
    shadow = {"ShadowProductionVariants": [fleet.shadow.summary()]} if fleet.shadow else {}
    return {"ProductionVariants": production, **shadow}


def _stop(fleets: Sequence[Fleet]) -> None:
    for fleet in fleets:
        fleet.drain()
        fleet.stop()
