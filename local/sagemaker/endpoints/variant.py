"""One production or shadow variant of a fleet, and how DescribeEndpoint shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.sagemaker.endpoints.models import Container
from local.sagemaker.endpoints.server import ModelServer
from local.sagemaker.state import Record, now


@dataclass(kw_only=True)
class Variant:
    """What each of its instances runs, how many there shall be, their weight, and their share of it."""

    settings: Mapping[str, Any]
    model: Record
    source: Container
    instances: int
    weight: float
    share: float = 1.0
    """Of the variant's requests, those that this fleet takes while an update shifts them to another."""
    active: int | None = None
    """Instances that have traffic, while it is shifted to them."""
    servers: list[ModelServer] = field(default_factory=list)
    status: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return str(self.settings["VariantName"])

    @property
    def serverless(self) -> bool:
        return "ServerlessConfig" in self.settings

    def mark(self, status: str, message: str) -> None:
        """Set the ProductionVariantStatus."""
        self.status = {"Status": status, "StatusMessage": message, "StartTime": now()}

    def summary(self) -> dict[str, Any]:
        """The variant as DescribeEndpoint shows it."""
        image = self.source.image
        size: dict[str, Any] = {
            "CurrentInstanceCount": len(self.servers) if self.active is None else self.active,
            "DesiredInstanceCount": self.instances,
        }
        if serverless := self.settings.get("ServerlessConfig"):
            size = {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
        return {
            "VariantName": self.name,
            "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image}],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
            **size,
            **({"VariantStatus": [self.status]} if self.status else {}),
        }
