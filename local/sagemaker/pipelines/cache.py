"""Step caching: a step that succeeded before with the same arguments is not executed again.

As AWS does it: within one pipeline, for a step of the same name, by the attributes that AWS
documents for its type (where results are written is none of them), within `ExpireAfter`, and only
of runs that succeeded, the most recent first. What the arguments point to is not looked at.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.sagemaker.errors import invalid
from local.sagemaker.pipelines.definition import Step
from local.sagemaker.state import now

_TRAINING = ("AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations")
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (*_TRAINING, "Environment", "HyperParameters", "InputDataConfig"),
    "Tuning": (
        "HyperParameterTuningJobConfig",
        *(
            f"TrainingJobDefinition.{name}"
            for name in (
                "AlgorithmSpecification",
                "HyperParameterRanges",
                "InputDataConfig",
                "StaticHyperParameters",
                "TuningObjective",
            )
        ),
        "TrainingJobDefinitions",
    ),
}
"""What decides whether a step is the same, by its type; other types are never taken from the cache."""

_DURATION = re.compile(
    r"P?(?=\w)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", re.IGNORECASE
)
_DAYS = (365, 30, 7, 1)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """What an earlier execution's step came to: its properties, and the metadata of its record."""

    execution_arn: str
    ended: datetime
    outputs: Mapping[str, Any]
    metadata: Mapping[str, Any]


@dataclass
class Cache:
    """The steps of one pipeline that succeeded. Safe to use from several threads."""

    _hits: dict[str, Hit] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, step: Step, arguments: Mapping[str, Any]) -> Hit | None:
        """The most recent run of a step with these arguments, if the step may use it."""
        if not is_cached(step):
            return None
        with self._lock:
            hit = self._hits.get(_signature(step, arguments))
        return hit if hit and now() - hit.ended <= expiry(step) else None

    def keep(self, step: Step, arguments: Mapping[str, Any], hit: Hit) -> None:
        """Remember that a step succeeded. AWS remembers runs for which caching was off, too."""
        if step["Type"] in ATTRIBUTES:
            with self._lock:
                self._hits[_signature(step, arguments)] = hit


def is_cached(step: Step) -> bool:
    """Whether a step asks to be taken from the cache."""
    return bool(step.get("CacheConfig", {}).get("Enabled"))


def check(step: Step) -> None:
    """Refuse a cache configuration that means nothing.

    Raises:
        ServiceError: caching is on, and the step's type has none or no duration says how long.
    """
    if is_cached(step):
        if step["Type"] not in ATTRIBUTES:
            raise invalid(
                "Unable to parse pipeline definition. CacheConfig is not supported by steps of type "
                f"{step['Type']}"
            )
        expiry(step)


def expiry(step: Step) -> timedelta:
    """How old a run may be to be used again: an ISO 8601 duration, its first letter optional.

    Raises:
        ServiceError: it is none.
    """
    text = str(step["CacheConfig"].get("ExpireAfter", ""))
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise invalid(
            f"Unable to parse pipeline definition. ExpireAfter {text!r} is not an ISO 8601 duration"
        )
    *dates, hours, minutes = (int(found or 0) for found in match.groups())
    days = sum(count * length for count, length in zip(dates, _DAYS, strict=True))
    return timedelta(days=days, hours=hours, minutes=minutes)


def _signature(step: Step, arguments: Mapping[str, Any]) -> str:
    chosen = {path: _at(arguments, path.split(".")) for path in ATTRIBUTES[step["Type"]]}
    return json.dumps([step["Name"], step["Type"], chosen], sort_keys=True, default=str)


def _at(node: Any, path: list[str]) -> Any:
    for name in path:
        node = (node or {}).get(name)
    return node
