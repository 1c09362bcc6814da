"""The servers of one endpoint configuration, all of its variants together."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from local.cloud.seam import Cloud
from local.sagemaker.endpoints.models import Container, container_of
from local.sagemaker.endpoints.server import ModelServer, UnhealthyError
from local.sagemaker.errors import ServiceError
from local.sagemaker.state import MODEL, Record, State

_STARTUP_SECONDS = 120.0
"""How long /ping may fail where the variant does not say."""


class Fleet:
    """Starts, chooses among and stops the servers of one deployment."""

    def __init__(self, cloud: Cloud, state: State, endpoint: str, config: Record) -> None:
        self.config_name: str = config["EndpointConfigName"]
        self._capture: Mapping[str, Any] | None = config.get("DataCaptureConfig")
        self._servers: dict[str, tuple[ModelServer, Container]] = {}
        for variant in config["ProductionVariants"]:
            try:
                model = state.get(MODEL, variant["ModelName"])
                server = ModelServer(cloud, endpoint, variant, model, self._capture)
                self._servers[variant["VariantName"]] = (server, container_of(state, model))
            except ServiceError as error:  # deleted since the configuration was made
                raise UnhealthyError(error.message) from error

    def start(self) -> None:
        """Start every server and wait until each is healthy.

        Raises:
            UnhealthyError: one is not. What was started keeps running: `stop` ends it.
        """
        for server, source in self._servers.values():
            server.prepare(source)
            server.start()
        for server, _ in self._servers.values():
            server.wait_until_healthy(
                server.variant.get("ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_SECONDS)
            )

    def drain(self) -> None:
        """Wait until every invocation has been answered."""
        for server, _ in self._servers.values():
            server.drain()

    def stop(self) -> None:
        """End every server."""
        for server, _ in self._servers.values():
            server.stop()

    def choose(self, variant: str | None) -> ModelServer | None:
        """The server of a variant, or one by the variants' weights; None where there is no such variant."""
        if variant is not None:
            return self._servers[variant][0] if variant in self._servers else None
        servers = [server for server, _ in self._servers.values()]
        weights = [server.variant["InitialVariantWeight"] for server in servers]
        return random.choices(servers, weights)[0] if any(weights) else None  # noqa: S311 - load balancing

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

    def summary(self) -> list[Mapping[str, Any]]:
        """The variants as DescribeEndpoint shows them."""
        return [
            {
                "VariantName": name,
                "DeployedImages": [{"SpecifiedImage": source.image, "ResolvedImage": source.image}],
                "CurrentWeight": server.variant["InitialVariantWeight"],
                "DesiredWeight": server.variant["InitialVariantWeight"],
                "CurrentInstanceCount": server.variant.get("InitialInstanceCount", 1),
                "DesiredInstanceCount": server.variant.get("InitialInstanceCount", 1),
            }
            for name, (server, source) in self._servers.items()
        ]
