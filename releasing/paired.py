"""Two versions' answers to the same requests, pair by pair: in shadow at any look, and in replay once.

What the request itself brings is out of the comparison: of McNemar's table only the pairs count in which the
versions differ, and where the candidate is no worse, it is the worse one of such a pair at most half of the
time. That needs far fewer requests than the comparison of two rates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Self

from releasing.bounds import lower, upper
from releasing.share_tests import WorseTest
from releasing.value_counts import events

_STEPS = 60


@dataclass
class Discordant:
    """Of pairs in which only one answer went wrong, on which side, as they are added."""

    candidate: int = 0
    live: int = 0

    def add(self, candidate: int, live: int) -> None:
        """Take further pairs."""
        self.candidate += candidate
        self.live += live

    @property
    def evidence(self) -> float:
        """The logarithm of the evidence that the candidate is worse."""
        test, pairs = WorseTest(), self.candidate + self.live
        test.add(events(pairs, self.candidate), events(pairs, self.live))
        return test.evidence


@dataclass
class Changes:
    """How many pairs of answers there are, and in how many the decision differs."""

    pairs: int = 0
    changed: int = 0

    def add(self, pairs: int, changed: int) -> None:
        """Take further pairs."""
        self.pairs += pairs
        self.changed += changed

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Bounds of the share of changed decisions, that both hold at every look but for alpha."""
        values = events(self.pairs, self.changed)
        return lower(values, alpha / 2), upper(values, alpha / 2)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(**document)


def exact_interval(events_seen: int, of: int, alpha: float = 0.05) -> tuple[float, float]:
    """The interval of a share by Clopper and Pearson (1934): for one look, at the end."""
    if not of:
        return 0.0, 1.0
    low = 0.0 if not events_seen else _solve(lambda p: 1 - _at_most(events_seen - 1, of, p) > alpha / 2)
    high = 1.0 if events_seen == of else _solve(lambda p: _at_most(events_seen, of, p) <= alpha / 2)
    return low, high


def mean_interval(total: float, squares: float, number: int, alpha: float = 0.05) -> tuple[float, float]:
    """The interval of a mean, from the sum of values and of their squares, by the normal approximation."""
    if not number:
        return -math.inf, math.inf
    mean = total / number
    variance = max(squares / number - mean * mean, 0.0)
    margin = NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt(variance / number)
    return mean - margin, mean + margin


def _at_most(events_seen: int, of: int, share: float) -> float:
    """The probability of at most so many events (binomial), summed from its greatest term."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return float(events_seen >= of)
    logarithms = [
        math.lgamma(of + 1)
        - math.lgamma(count + 1)
        - math.lgamma(of - count + 1)
        + count * math.log(share)
        + (of - count) * math.log1p(-share)
        for count in range(events_seen + 1)
    ]
    largest = max(logarithms)
    return min(1.0, math.exp(largest) * sum(math.exp(each - largest) for each in logarithms))


def _solve(holds: Any) -> float:
    """The least share from which on a property holds."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
