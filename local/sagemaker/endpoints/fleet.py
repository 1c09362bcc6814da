"""The servers of one endpoint configuration, all of its variants together."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from local.cloud.seam import Cloud
from local.sagemaker.endpoints.models import Container, container_of
from local.sagemaker.endpoints.server import ModelServer, UnhealthyError
from local.sagemaker.endpoints.serverless import ServerlessServer
from local.sagemaker.errors import ServiceError
from local.sagemaker.state import MODEL, Record, State

_STARTUP_SECONDS = 120.0
"""How long /ping may fail where the variant does not say."""


@dataclass(kw_only=True)
class Variant:
    """A production variant: what each of its instances runs, how many there shall be, and their weight."""

    settings: Mapping[str, Any]
    model: Record
    source: Container
    instances: int
    weight: float
    servers: list[ModelServer] = field(default_factory=list)

    @property
    def serverless(self) -> bool:
        return "ServerlessConfig" in self.settings

    def summary(self) -> dict[str, Any]:
        """The variant as DescribeEndpoint shows it."""
        image = self.source.image
        size: dict[str, Any] = {
            "CurrentInstanceCount": len(self.servers),
            "DesiredInstanceCount": self.instances,
        }
        if serverless := self.settings.get("ServerlessConfig"):
            size = {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
        return {
            "VariantName": self.settings["VariantName"],
            "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image}],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
            **size,
        }


class Fleet:
    """Starts, chooses among, adds and stops the servers of one deployment."""

    def __init__(self, cloud: Cloud, state: State, endpoint: str, config: Record) -> None:
        self.config_name: str = config["EndpointConfigName"]
        self._cloud = cloud
        self._endpoint = endpoint
        self._capture: Mapping[str, Any] | None = config.get("DataCaptureConfig")
        self.variants: dict[str, Variant] = {}
        for settings in config["ProductionVariants"]:
            try:
                model = state.get(MODEL, settings["ModelName"])
                source = container_of(state, model)
            except ServiceError as error:  # deleted since the configuration was made
                raise UnhealthyError(error.message) from error
            self.variants[settings["VariantName"]] = Variant(
                settings=settings,
                model=model,
                source=source,
                instances=settings.get("InitialInstanceCount", 1),
                weight=settings["InitialVariantWeight"],
            )

    def inherit(self, old: Fleet, properties: Set[str]) -> None:
        """Keep properties (by the names of VariantPropertyType) of the variants of another fleet."""
        if "DataCaptureConfig" in properties:
            self._capture = old._capture
        for name in self.variants.keys() & old.variants.keys():
            if "DesiredInstanceCount" in properties:
                self.variants[name].instances = old.variants[name].instances
            if "DesiredWeight" in properties:
                self.variants[name].weight = old.variants[name].weight

    def scale(self) -> None:
        """Start the servers that are wanted and wait until each is healthy; end those that are too many.

        Raises:
            UnhealthyError: one is not. What was started is stopped again.
        """
        for variant in self.variants.values():
            missing = variant.instances - len(variant.servers)
            variant.servers = variant.servers + self._launch(variant, missing)
            kept, surplus = variant.servers[: variant.instances], variant.servers[variant.instances :]
            variant.servers = kept
            _end(surplus)

    def drain(self) -> None:
        """Wait until every invocation has been answered."""
        for server in self._servers():
            server.drain()

    def stop(self) -> None:
        """End every server."""
        for server in self._servers():
            server.stop()

    def choose(self, name: str | None) -> tuple[ModelServer, Variant] | None:
        """A server of a variant, or of one by the variants' weights; None where there is no such variant."""
        variants = [self.variants[name]] if name in self.variants else []
        if name is None:
            variants = list(self.variants.values())
        weights = [variant.weight if name is None else 1 for variant in variants]
        if not any(weights):
            return None
        variant = random.choices(variants, weights)[0]  # noqa: S311 - load balancing
        return random.choice(variant.servers), variant  # noqa: S311 - as SageMaker does unless told otherwise

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
        return [server for variant in self.variants.values() for server in variant.servers]

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
