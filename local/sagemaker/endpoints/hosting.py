"""What serves each endpoint: one fleet, or two while an update shifts traffic from one to the other."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from local.sagemaker.endpoints.deployment_policy import Counts
from local.sagemaker.endpoints.fleet import Fleet
from local.sagemaker.endpoints.server import ModelServer
from local.sagemaker.endpoints.variant import Variant
from local.sagemaker.errors import ServiceError
from local.sagemaker.state import ENDPOINT, State


@dataclass(frozen=True, kw_only=True)
class Route:
    """The server that answers one invocation."""

    fleet: Fleet
    variant: Variant
    server: ModelServer


@dataclass
class Hosted:
    """The fleets of one endpoint."""

    current: Fleet | None = None
    mixed: Fleet | None = None
    """The newer of two fleets that a rolling update left serving, whose rollback failed too."""
    incoming: Fleet | None = None
    """The fleet of an update that is under way."""
    routed: list[Fleet] = field(default_factory=list)
    """Those that take requests now."""

    @property
    def settled(self) -> list[Fleet]:
        """The fleets that serve while no update is under way."""
        return [fleet for fleet in (self.current, self.mixed) if fleet]

    def shift(self, active: Counts) -> None:
        """Let so many instances of the incoming fleet take their part of the requests."""
        assert self.incoming is not None, "there is no fleet to shift traffic to"
        for name, variant in self.incoming.variants.items():
            variant.active = active[name]
            variant.share = active[name] / variant.instances
            if self.current is not None and name in self.current.variants:
                self.current.variants[name].share = 1 - variant.share
        whole = active == self.incoming.counts
        self.routed = [self.incoming] if whole else [*self.settled, self.incoming]

    def settle(self, fleet: Fleet | None, *, mixed: Fleet | None = None) -> None:
        """Let one fleet take every request, or two that serve by the number of their instances."""
        self.current, self.mixed, self.incoming = fleet, mixed, None
        self.routed = self.settled
        for each in self.routed:
            for name, variant in each.variants.items():
                variant.active, variant.status = None, None
                total = sum(other.running.get(name, 0) for other in self.routed)
                variant.share = each.running[name] / total if total else 1.0


class Hosting:
    """The endpoints that have fleets, by their ARNs."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._hosted: dict[str, Hosted] = {}

    def of(self, endpoint_arn: str) -> Hosted:
        """The fleets of an endpoint, which may have none yet."""
        with self._state.lock:
            return self._hosted.setdefault(endpoint_arn, Hosted())

    def uses(self) -> Counter[str]:
        """The instances that run for all endpoints, by the names of their quotas."""
        uses: Counter[str] = Counter()
        with self._state.lock:
            for hosted in self._hosted.values():
                for fleet in filter(None, (hosted.current, hosted.mixed, hosted.incoming)):
                    uses.update(fleet.uses())
        return uses

    def remove(self, endpoint_arn: str) -> list[Fleet]:
        """Take every fleet of an endpoint off."""
        with self._state.lock:
            hosted = self._hosted.pop(endpoint_arn, Hosted())
            return [fleet for fleet in (hosted.current, hosted.mixed, hosted.incoming) if fleet]

    @contextmanager
    def route(self, endpoint: str, variant: str | None) -> Iterator[Route]:
        """Choose the server that answers an invocation.

        It is not stopped by an update or by scaling before it has answered.

        Raises:
            ServiceError: no such endpoint is in service, or it has no such variant.
        """
        with self._state.lock:
            fleets = self.of(self._state.arn(ENDPOINT, endpoint)).routed
            if not fleets:
                account = self._state.account
                raise ServiceError("ValidationError", f"Endpoint {endpoint} of account {account} not found.")
            chosen = _choose(fleets, variant)
            if chosen is None:
                raise ServiceError("ValidationError", f"Variant {variant} of endpoint {endpoint} not found.")
            chosen.server.acquire()
        try:
            yield chosen
        finally:
            chosen.server.release()


def _choose(fleets: list[Fleet], name: str | None) -> Route | None:
    """A server by the fleets' shares and the variants' weights; None where there is no such variant."""
    candidates = [
        (fleet, variant)
        for fleet in fleets
        for variant in fleet.variants.values()
        if name in (None, variant.name) and variant.servers
    ]
    weights = [variant.share * (variant.weight if name is None else 1) for _, variant in candidates]
    if not any(weights):
        return None
    fleet, variant = random.choices(candidates, weights)[0]  # noqa: S311 - load balancing
    server = random.choice(variant.servers)  # noqa: S311 - as SageMaker does unless configured otherwise
    return Route(fleet=fleet, variant=variant, server=server)
