"""Describe does not know at once what was created, on a strict cloud."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from local.cloud.strictness import Strictness
from local.sagemaker import state
from local.sagemaker.errors import ServiceError
from local.sagemaker.resources import name_of

_KINDS = {kind.noun: kind for kind in vars(state).values() if isinstance(kind, state.Kind)}


class Visibility:
    """When each resource can be described. Without strictness that is at once."""

    def __init__(self, strictness: Strictness | None) -> None:
        self._strictness = strictness
        self._lock = threading.Lock()
        self._visible: dict[str, float] = {}

    def created(self, answer: Mapping[str, Any]) -> None:
        """Note the ARNs in the answer of a Create or Start operation."""
        if self._strictness is None:
            return
        for member, arn in answer.items():
            if member.endswith("Arn") and isinstance(arn, str):
                wait = self._strictness.between(self._strictness.describe_seconds, "describe", member)
                with self._lock:
                    self._visible.setdefault(arn.lower(), time.monotonic() + wait)

    def check(self, operation: str, arn: str) -> None:
        """Refuse to describe what is too new.

        Raises:
            ServiceError: as for a resource that does not exist.
        """
        kind = _KINDS.get(operation.removeprefix("Describe"))
        with self._lock:
            is_hidden = time.monotonic() < self._visible.get(arn.lower(), 0.0)
        if kind is not None and is_hidden:
            missing = kind.missing
            message = missing.message.format(arn=arn, name=name_of(arn))
            raise ServiceError(missing.code, message, missing.status)
