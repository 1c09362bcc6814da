"""Sequential tests by shares: on which version what goes wrong falls, given how requests are distributed.

Requests are distributed at random, so where the candidate is no worse, each thing that goes wrong in a minute
falls on it with at most the probability p with which that minute's requests did. For a ratio ρ > 1 the factor
1 + λ v (z − p), with v in [0, 1] how wrong it is, z whether it fell on the candidate, and
λ = (ρ − 1) / (1 + p (ρ − 1)), has a mean of at most 1. The mean over a grid of ρ of their products is a test
martingale (kin to Lindon and Malek, 2022): it reaches 1/α with a probability of at most α, at any of any
number of looks (Ville, 1939). A rate that varies from minute to minute for both alike changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from releasing.value_counts import Values, log_mean, size

RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_FEWER = (0.9, 0.75, 0.5, 0.25, 0.1)


@dataclass
class WorseTest:
    """The evidence that the candidate is worse than the live version, minute by minute."""

    paths: list[float] = field(default_factory=lambda: [0.0] * len(RATIOS))
    """The logarithm of the product for each ratio of `RATIOS`."""

    def add(self, candidate: Values, live: Values) -> None:
        """Take one more minute."""
        requests = size(candidate) + size(live)
        if not requests:
            return
        share = size(candidate) / requests
        for index, ratio in enumerate(RATIOS):
            bet = (ratio - 1) / (1 + share * (ratio - 1))
            self.paths[index] += _growth(candidate, bet * (1 - share)) + _growth(live, -bet * share)

    @property
    def evidence(self) -> float:
        """The logarithm of the martingale."""
        return log_mean(self.paths)

    def to_json(self) -> dict[str, Any]:
        return {"paths": self.paths}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(list(document["paths"]))


@dataclass
class RatioTest:
    """The evidence that the candidate's rate is less than `ratio` times the live version's.

    The mirrored test: at that ratio a share q = p · ratio / (p · ratio + 1 − p) of what goes wrong would fall
    on the candidate. Exact for rare events, and cautious for others, which vary less than that.
    """

    ratio: float
    paths: list[float] = field(default_factory=lambda: [0.0] * len(_FEWER))

    def add(self, candidate: Values, live: Values) -> None:
        """Take one more minute, of values 0 and 1."""
        requests = size(candidate) + size(live)
        if not requests:
            return
        share = size(candidate) / requests
        expected = share * self.ratio / (share * self.ratio + 1 - share)
        on_candidate, on_live = candidate.get(1.0, 0), live.get(1.0, 0)
        for index, factor in enumerate(_FEWER):
            compensation = (on_candidate + on_live) * math.log1p(expected * (factor - 1))
            self.paths[index] += on_candidate * math.log(factor) - compensation

    @property
    def evidence(self) -> float:
        """The logarithm of the martingale."""
        return log_mean(self.paths)

    def to_json(self) -> dict[str, Any]:
        return {"ratio": self.ratio, "paths": self.paths}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(document["ratio"], list(document["paths"]))


def _growth(values: Values, bet: float) -> float:
    return sum(count * math.log1p(bet * value) for value, count in values.items() if value and count)
