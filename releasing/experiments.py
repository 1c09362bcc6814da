"""An A/B test of two versions: the difference of a metric as labels arrive, to be looked at any time.

The metric is a mean over labelled rows of values in [0, 1] (1 where the prediction was right, or a loss over
its greatest). Each version's mean has a confidence sequence at α/2, and so the difference is within the
difference of their bounds at every look, for as long as rows come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from metrics.confidence_sequences import ALPHA, Interval, MeanSequence
from releasing.assignment import sample_ratio_evidence

SAMPLE_RATIO_ALPHA = 0.001
"""A ratio that is wrong says the experiment is broken: it is not to say so by chance."""


class Result(StrEnum):
    """What an experiment has shown so far."""

    BETTER = "the candidate is better"
    WORSE = "the candidate is worse"
    SAME = "no difference that matters"
    OPEN = "not enough labels"
    BROKEN = "units did not fall to the versions by their shares"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an experiment is to find out: which of two versions with these shares has the better metric."""

    live: str
    candidate: str
    shares: Mapping[str, float]
    least_difference: float = 0.01
    """A difference of less does not matter."""
    lower_is_better: bool = False


@dataclass
class Experiment:
    """Labelled rows of both versions, and units that were assigned to them."""

    plan: Plan
    live: MeanSequence = field(default_factory=lambda: MeanSequence(alpha=ALPHA / 2))
    candidate: MeanSequence = field(default_factory=lambda: MeanSequence(alpha=ALPHA / 2))
    units: dict[str, int] = field(default_factory=dict)

    def assign(self, version: str, units: int = 1) -> None:
        """Count units that a version was chosen for by the experiment; others are left out."""
        self.units[version] = self.units.get(version, 0) + units

    def add(self, version: str, values: Iterable[float]) -> None:
        """Take the metric's value of further labelled rows."""
        (self.live if version == self.plan.live else self.candidate).add(values)

    @property
    def difference(self) -> Interval:
        """The candidate's metric less the live version's."""
        live, candidate = self.live.interval, self.candidate.interval
        return Interval(
            mean=candidate.mean - live.mean, low=candidate.low - live.high, high=candidate.high - live.low
        )

    @property
    def result(self) -> Result:
        """What is known by now, and will not be taken back by more rows but with probability α."""
        if sample_ratio_evidence(self.units, self.plan.shares) >= -math.log(SAMPLE_RATIO_ALPHA):
            return Result.BROKEN
        low, high = self.difference.low, self.difference.high
        if low > 0 or high < 0:
            return Result.BETTER if (low > 0) is not self.plan.lower_is_better else Result.WORSE
        if max(-low, high) <= self.plan.least_difference:
            return Result.SAME
        return Result.OPEN

    def to_json(self) -> dict[str, Any]:
        return {"live": self.live.to_json(), "candidate": self.candidate.to_json(), "units": self.units}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], plan: Plan) -> Self:
        """The experiment that `to_json` is of, under the same plan."""
        return cls(
            plan=plan,
            live=MeanSequence.from_json(document["live"]),
            candidate=MeanSequence.from_json(document["candidate"]),
            units=dict(document["units"]),
        )
