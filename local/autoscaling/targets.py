"""What is registered: scalable targets, each with its policies, by resource id."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
NAMESPACE = "sagemaker"


@dataclass(kw_only=True)
class Target:
    """A scalable target: `record` is as DescribeScalableTargets shows it, `policies` are by name."""

    record: dict[str, Any]
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def endpoint_and_variant(self) -> tuple[str, str]:
        return split(self.record["ResourceId"])


class Targets:
    """All of them. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._targets: dict[str, Target] = {}

    def find(self, resource_id: str) -> Target | None:
        with self._lock:
            return self._targets.get(resource_id)

    def all(self) -> list[Target]:
        with self._lock:
            return list(self._targets.values())

    def put(self, resource_id: str, record: Mapping[str, Any]) -> None:
        """Register a target; the policies of an earlier registration stay."""
        with self._lock:
            self._targets.setdefault(resource_id, Target(record={})).record = dict(record)

    def remove(self, resource_id: str) -> None:
        """Forget a target and its policies."""
        with self._lock:
            self._targets.pop(resource_id, None)


def split(resource_id: str) -> tuple[str, str]:
    """Endpoint and variant of `endpoint/<endpoint>/variant/<variant>`.

    Raises:
        ValueError: it is not of that form.
    """
    match resource_id.split("/"):
        case ["endpoint", endpoint, "variant", variant] if endpoint and variant:
            return endpoint, variant
    raise ValueError(resource_id)
