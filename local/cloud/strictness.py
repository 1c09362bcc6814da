"""An account is no idle laptop: it throttles, it forgets for a moment what it was told, and it has quotas.

A strict cloud does so by draws of a seed. A draw depends on what it is about, not on when it is made, so
that a run that failed fails again with the same seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

INSTANCES = 2
"""Of each type and use that an account may have; a new one has fewer, or none."""


@dataclass(frozen=True)
class Strictness:
    """How much of it a cloud does. `seed` names the draws."""

    seed: int
    throttled: float = 0.15
    """The share of calls that are answered "Rate exceeded", never twice in a row of the same caller."""
    role_seconds: tuple[float, float] = (1.0, 4.0)
    """How long a new role cannot be assumed by services."""
    bucket_seconds: tuple[float, float] = (10.0, 20.0)
    """How long EventBridge is not told of a new bucket's objects; on AWS about five minutes."""
    describe_seconds: tuple[float, float] = (0.0, 1.0)
    """How long Describe does not know what was created."""
    instances: Mapping[str, int] = field(default_factory=dict)
    """The quota of a use such as "ml.m5.large for endpoint usage", where it is not `INSTANCES`."""

    def draw(self, *what: object) -> float:
        """A number from 0 to below 1: the same for the same things."""
        text = repr((self.seed, *what)).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64

    def between(self, bounds: tuple[float, float], *what: object) -> float:
        """A number within bounds: the same for the same things."""
        low, high = bounds
        return low + (high - low) * self.draw(*what)

    def quota(self, use: str) -> int:
        """How many instances the account may have for a use."""
        return self.instances.get(use, INSTANCES)
