"""What may go wrong at one AWS call, how likely, and where it does: decided by the seed alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """One thing that goes wrong at one request. `before` and `after` say on which side of its effect."""

    THROTTLED = "throttled"
    SERVER_ERROR_BEFORE = "5xx, nothing done"
    SERVER_ERROR_AFTER = "5xx, and done"
    REQUEST_LOST = "request lost"
    RESPONSE_LOST = "response lost"
    BODY_BREAKS_OFF = "body breaks off"
    DENIED = "access denied"
    KEY_DISABLED = "KMS key disabled"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    SLOW = "slow"
    OVERTAKEN_BEFORE = "other deliveries meanwhile, before"
    OVERTAKEN_AFTER = "other deliveries meanwhile, after"
    MODEL_ERROR = "model error (424)"
    MODEL_NOT_READY = "model not ready (429)"
    MODEL_SWAPPED = "another model goes live"


_ANYWHERE = {
    Fault.THROTTLED: 6,
    Fault.SERVER_ERROR_BEFORE: 4,
    Fault.SERVER_ERROR_AFTER: 4,
    Fault.REQUEST_LOST: 3,
    Fault.RESPONSE_LOST: 3,
    Fault.DENIED: 1,
    Fault.KEY_DISABLED: 1,
    Fault.CRASH_BEFORE: 1,
    Fault.CRASH_AFTER: 1,
    Fault.SLOW: 1,
    Fault.OVERTAKEN_BEFORE: 1,
    Fault.OVERTAKEN_AFTER: 1,
}
_OF_THE_MODEL = {Fault.MODEL_ERROR: 4, Fault.MODEL_NOT_READY: 4, Fault.MODEL_SWAPPED: 8}
_OF_A_STREAM = {Fault.BODY_BREAKS_OFF: 3}
WEIGHTS: dict[str, dict[Fault, int]] = {
    "GetObject": {**_ANYWHERE, **_OF_A_STREAM},
    "InvokeEndpoint": {**_ANYWHERE, **_OF_A_STREAM, **_OF_THE_MODEL},
}
"""How often each fault is the one that happens, by operation; `_ANYWHERE` for all others."""


class Chances:
    """Draws that depend on the seed and on what is asked, never on the order in which threads ask."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    def share(self, *identity: object) -> float:
        """A number between 0 and 1 for an identity."""
        text = "\0".join(map(str, (self._seed, *identity))).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64


@dataclass
class Plan:
    """Which fault happens at which request: each with the same probability, and `certain` ones."""

    chances: Chances
    probability: float
    certain: dict[int, Fault] = field(default_factory=dict)
    happened: Counter[Fault] = field(default_factory=Counter)
    requests: int = 0
    paused: bool = False

    @contextmanager
    def nothing_fails(self) -> Iterator[None]:
        """While inside, no fault happens."""
        self.paused = True
        try:
            yield
        finally:
            self.paused = False

    def fault(self, operation: str, *identity: object) -> Fault | None:
        """What happens at the next request, which is this operation's on this thing."""
        if self.paused:
            return None
        self.requests += 1
        drawn = self.certain.get(self.requests) or self._drawn(operation, identity)
        if drawn:
            self.happened[drawn] += 1
        return drawn

    def _drawn(self, operation: str, identity: tuple[object, ...]) -> Fault | None:
        share = self.chances.share("fault", operation, *identity)
        if share >= self.probability:
            return None
        weights = WEIGHTS.get(operation, _ANYWHERE)
        left = share / self.probability * sum(weights.values())
        for fault, weight in weights.items():
            left -= weight
            if left < 0:
                return fault
        return None
