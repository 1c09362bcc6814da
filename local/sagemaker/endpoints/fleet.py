"""The servers of one endpoint configuration, all of its variants together."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.cloud.seam import Cloud
from local.sagemaker.endpoints.deployment_policy import Counts
from local.sagemaker.endpoints.models import container_of
from local.sagemaker.endpoints.server import ModelServer, UnhealthyError
from local.sagemaker.endpoints.serverless import ServerlessServer
from local.sagemaker.endpoints.variant import Variant
from local.sagemaker.errors import ServiceError
from local.sagemaker.quotas import use_of
from local.sagemaker.state import MODEL, Record, State

_STARTUP_SECONDS = 120.0
"""How long /ping may fail where the variant does not say."""
_SHADOW_THREADS = 4


class Fleet:
    """Starts, adds and stops the servers of one deployment."""

    def __init__(self, cloud: Cloud, state: State, endpoint: str, config: Record) -> None:
        self.config = config
        self._cloud = cloud
        self._state = state
        self._endpoint = endpoint
        self._capture: Mapping[str, Any] | None = config.get("DataCaptureConfig")
        self.variants = {
            settings["VariantName"]: self._variant(settings) for settings in config["ProductionVariants"]
        }
        shadows = config.get("ShadowProductionVariants", [])
        self.shadow = self._variant(shadows[0]) if shadows else None
        self.mirror = ThreadPoolExecutor(_SHADOW_THREADS, f"shadow-{endpoint}")
        """Runs what nobody waits for."""

    def uses(self) -> Counter[str]:
        """Its instances, by the names of their quotas."""
        uses: Counter[str] = Counter()
        for variant in (*self.variants.values(), *([self.shadow] if self.shadow else [])):
            if "InstanceType" in variant.settings:
                uses[use_of(variant.settings["InstanceType"], "endpoint")] += variant.instances
        return uses

    def _variant(self, settings: Mapping[str, Any]) -> Variant:
        try:
            model = self._state.get(MODEL, settings["ModelName"])
            source = container_of(self._state, model)
        except ServiceError as error:  # deleted since the configuration was made
            raise UnhealthyError(error.message) from error
        return Variant(
            settings=settings,
            model=model,
            source=source,
            instances=settings.get("InitialInstanceCount", 1),
            weight=settings["InitialVariantWeight"],
        )

    @property
    def config_name(self) -> str:
        return str(self.config["EndpointConfigName"])

    @property
    def counts(self) -> Counts:
        """How many instances each production variant is to have."""
        return {name: variant.instances for name, variant in self.variants.items()}

    @property
    def running(self) -> Counts:
        """How many it has."""
        return {name: len(variant.servers) for name, variant in self.variants.items()}

    def inherit(self, old: Fleet, properties: Set[str]) -> None:
        """Keep properties (by the names of VariantPropertyType) of the variants of another fleet."""
        if "DataCaptureConfig" in properties:
            self._capture = old._capture
        for name in self.variants.keys() & old.variants.keys():
            if "DesiredInstanceCount" in properties:
                self.variants[name].instances = old.variants[name].instances
            if "DesiredWeight" in properties:
                self.variants[name].weight = old.variants[name].weight

    def scale(self, counts: Counts | None = None) -> None:
        """Start the servers that are missing and wait until each is healthy; end those that are too many.

        Without counts, each variant gets the instances it is to have.

        Raises:
            UnhealthyError: one is not. What was started is stopped again.
        """
        wanted = [(self.variants[name], count) for name, count in (counts or self.counts).items()]
        if self.shadow is not None:
            wanted.append((self.shadow, self.shadow.instances))
        started: list[list[ModelServer]] = []
        try:
            for variant, count in wanted:
                started.append(self._launch(variant, count - len(variant.servers)))
        except UnhealthyError:
            _end(server for servers in started for server in servers)
            raise
        for (variant, count), servers in zip(wanted, started, strict=True):
            with self._state.lock:  # an invocation chooses its server under the same lock
                servers = variant.servers + servers
                variant.servers, surplus = servers[:count], servers[count:]
            _end(surplus)

    def drain(self) -> None:
        """Wait until every invocation has been answered."""
        for server in self._servers():
            server.drain()

    def stop(self) -> None:
        """End every server."""
        self.mirror.shutdown(wait=False, cancel_futures=True)
        for server in self._servers():
            server.stop()

    def shadow_server(self) -> ModelServer | None:
        """A server of the shadow variant for a request that is in its sample, or None.

        Its weight against the production variant's is the share of the requests that it gets a copy of.
        """
        if self.shadow is None or not self.shadow.servers:
            return None
        [production] = self.variants.values()
        if random.random() * production.weight >= self.shadow.weight:  # noqa: S311 - a sample
            return None
        return random.choice(self.shadow.servers)  # noqa: S311 - load balancing

    def capture_summary(self) -> Mapping[str, Any] | None:
        """The data capture as DescribeEndpoint shows it; None where the configuration has none."""
        if self._capture is None:
            return None
        enabled = self._capture.get("EnableCapture", True)
        return {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": self._capture["InitialSamplingPercentage"],
            "DestinationS3Uri": self._capture["DestinationS3Uri"],
            "KmsKeyId": self._capture.get("KmsKeyId", ""),
        }

    def _servers(self) -> list[ModelServer]:
        variants = [*self.variants.values(), *([self.shadow] if self.shadow else [])]
        return [server for variant in variants for server in variant.servers]

    def _launch(self, variant: Variant, count: int) -> list[ModelServer]:
        started: list[ModelServer] = []
        kind = ServerlessServer if variant.serverless else ModelServer
        seconds = variant.settings.get("ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_SECONDS)
        try:
            for _ in range(count):
                started.append(
                    kind(self._cloud, self._endpoint, variant.settings, variant.model, self._capture)
                )
                started[-1].prepare(variant.source)
                started[-1].start()
            for server in started:
                server.wait_until_healthy(seconds)
        except UnhealthyError:
            for server in started:
                server.stop()
            raise
        return started


def _end(servers: Iterable[ModelServer]) -> None:
    for server in servers:
        server.drain()
        server.stop()
