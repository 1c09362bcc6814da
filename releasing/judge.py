"""The judge of a candidate that takes part of the traffic: pass, fail or inconclusive, at any look.

*Fail* where the evidence that it is worse reaches 1 / α of its metric; the α of all metrics add up to 0.05.
*Pass* where every metric is shown to be not worse than its margin, each at 0.05: a candidate that is worse in
any passes with no more probability than that (an intersection-union test needs no correction). Everything
else is inconclusive, no traffic above all.

State is small and goes to JSON between looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from releasing import bounds, predictions, value_counts
from releasing.share_tests import RatioTest, WorseTest
from releasing.value_counts import Values, log_mean
from releasing.verdicts import Verdict

PASS_ALPHA = 0.05
_LIVE_PART = 0.05
"""Of a margin's α, what the bound of the live version's rate takes; the candidate's takes the rest."""


class Metric(StrEnum):
    ERRORS = "errors"
    LATENCY = "latency"
    REJECTED = "rejected rows"
    PREDICTIONS = "predictions"


FAIL_ALPHA: Mapping[Metric, float] = {
    Metric.ERRORS: 0.02,
    Metric.LATENCY: 0.01,
    Metric.REJECTED: 0.01,
    Metric.PREDICTIONS: 0.01,
}
"""Of 0.05 a release."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much worse a candidate may be, and still pass. None of a margin or ratio is none to show."""

    margin: float | None = None
    """By how much the rate may be greater: 0.01 is one percentage point."""
    ratio: float | None = None
    """How many times as great it may be."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a release is judged by."""

    limits: Mapping[Metric, Limits] = field(
        default_factory=lambda: {
            Metric.ERRORS: Limits(margin=0.01),
            Metric.LATENCY: Limits(ratio=2.0),
            # What clients send decides about rejections more than the model does.
            Metric.REJECTED: Limits(margin=0.03, ratio=3.0),
        }
    )
    """By metric; those that are not measured are left out."""
    expected: Sequence[float] = ()
    """The distribution of the candidate's predictions; empty where they are not measured."""
    tolerance: float = predictions.TOLERANCE
    """The share of predictions that may be otherwise than expected before it is evidence."""
    distance: float = 0.2
    """The total variation distance below which predictions pass."""
    ceiling: float = 0.2
    """A rate of errors that is too high where the live version has no requests to compare with."""

    @property
    def metrics(self) -> list[Metric]:
        return [*self.limits, *([Metric.PREDICTIONS] if self.expected else [])]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What one version did in one minute.

    `slow` are answers that took longer than the 95th percentile of the live version's. `rejected` has of each
    request (or upload) the share of its rows that were rejected, `predictions` in each bin the number of
    requests, one with many rows adding to several.
    """

    requests: int = 0
    errors: int = 0
    slow: int = 0
    rejected: Values = field(default_factory=dict)
    predictions: Sequence[float] = ()

    def values(self, metric: Metric) -> Values:
        """What a metric is the mean of."""
        if metric is Metric.REJECTED:
            return self.rejected
        return value_counts.events(self.requests, self.errors if metric is Metric.ERRORS else self.slow)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The verdict on one metric, with both numbers. `evidence` is to be 1 for "fail" at most."""

    metric: Metric
    verdict: Verdict
    candidate: float | None
    live: float | None
    requests: float
    """Of the candidate, that the metric was measured on."""
    evidence: float
    """That it is worse, over what makes it fail."""
    says: str


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict on the candidate, and on each of its metrics."""

    verdict: Verdict
    findings: Sequence[Finding]

    def to_json(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "findings": [asdict(finding) for finding in self.findings]}


@dataclass
class _Rate:
    """One metric that is a rate: both versions' values so far, and what they are evidence of."""

    candidate: dict[float, float] = field(default_factory=dict)
    live: dict[float, float] = field(default_factory=dict)
    uncompared: dict[float, float] = field(default_factory=dict)
    """The candidate's of minutes in which the live version had no requests."""
    worse: WorseTest = field(default_factory=WorseTest)
    ratio: RatioTest | None = None

    def add(self, candidate: Values, live: Values) -> None:
        if not value_counts.size(live):
            self.uncompared = value_counts.added(self.uncompared, candidate)
        self.candidate = value_counts.added(self.candidate, candidate)
        self.live = value_counts.added(self.live, live)
        self.worse.add(candidate, live)
        if self.ratio is not None:
            self.ratio.add(candidate, live)

    def passes(self, limits: Limits) -> bool:
        """Whether one of the limits is shown to be kept; if there are two, each has half of the α."""
        both = limits.margin is not None and limits.ratio is not None
        alpha = PASS_ALPHA / 2 if both else PASS_ALPHA
        if self.ratio is not None and self.ratio.evidence >= -math.log(alpha):
            return True
        return limits.margin is not None and self._within(limits.margin, alpha)

    def _within(self, margin: float, alpha: float) -> bool:
        """Whether the candidate's rate is less than the live version's and the margin together."""
        needed = -math.log(alpha * (1 - _LIVE_PART))
        # The bound of the live version's rate takes the longest, and is less than the rate that was seen.
        if not self._refuted(margin + (value_counts.mean(self.live) or 0), needed):
            return False
        return self._refuted(margin + bounds.lower(self.live, alpha * _LIVE_PART), needed)

    def _refuted(self, rate: float, needed: float) -> bool:
        return rate < 1 and bounds.against_at_least(rate, self.candidate) >= needed

    def to_json(self) -> dict[str, Any]:
        return {
            "candidate": value_counts.to_json(self.candidate),
            "live": value_counts.to_json(self.live),
            "uncompared": value_counts.to_json(self.uncompared),
            "worse": self.worse.to_json(),
            "ratio": self.ratio and self.ratio.to_json(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            candidate=value_counts.from_json(document["candidate"]),
            live=value_counts.from_json(document["live"]),
            uncompared=value_counts.from_json(document["uncompared"]),
            worse=WorseTest.from_json(document["worse"]),
            ratio=document["ratio"] and RatioTest.from_json(document["ratio"]),
        )


class Judge:
    """Takes both versions' tallies minute by minute, and gives a verdict whenever it is asked for one."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._rates = {
            metric: _Rate(ratio=RatioTest(limits.ratio) if limits.ratio is not None else None)
            for metric, limits in rules.limits.items()
        }
        self._counts = [0.0] * len(rules.expected)
        self._looks = 0

    def add(self, candidate: Tally, live: Tally) -> None:
        """Take one more minute."""
        for metric, rate in self._rates.items():
            rate.add(candidate.values(metric), live.values(metric))
        for index, count in enumerate(candidate.predictions):
            self._counts[index] += count

    def judge(self) -> Judgement:
        """The verdict after the minutes so far. Each call is a look."""
        self._looks += 1
        findings = [self._rate_finding(metric, rate) for metric, rate in self._rates.items()]
        if self._rules.expected:
            findings.append(self._prediction_finding())
        verdicts = [finding.verdict for finding in findings]
        if Verdict.FAIL in verdicts:
            verdict = Verdict.FAIL
        elif verdicts and all(each is Verdict.PASS for each in verdicts):
            verdict = Verdict.PASS
        else:
            verdict = Verdict.INCONCLUSIVE
        return Judgement(verdict=verdict, findings=findings)

    def begin_step(self) -> None:
        """Begin a step with another share of the traffic, to be passed by itself. Evidence of harm stays."""
        for metric, rate in self._rates.items():
            fresh = RatioTest(rate.ratio.ratio) if rate.ratio is not None else None
            self._rates[metric] = _Rate(uncompared=rate.uncompared, worse=rate.worse, ratio=fresh)

    def to_json(self) -> dict[str, Any]:
        return {
            "rates": {metric: rate.to_json() for metric, rate in self._rates.items()},
            "counts": self._counts,
            "looks": self._looks,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], rules: Rules) -> Self:
        """The judge that `to_json` is of, under the same rules."""
        judge = cls(rules)
        judge._rates = {Metric(name): _Rate.from_json(rate) for name, rate in document["rates"].items()}
        judge._counts, judge._looks = list(document["counts"]), document["looks"]
        return judge

    def _rate_finding(self, metric: Metric, rate: _Rate) -> Finding:
        evidence = rate.worse.evidence
        if metric is Metric.ERRORS:
            evidence = log_mean([evidence, bounds.against_at_most(self._rules.ceiling, rate.uncompared)])
        return self._finding(
            metric,
            evidence,
            passed=rate.passes(self._rules.limits[metric]),
            candidate=value_counts.mean(rate.candidate),
            live=value_counts.mean(rate.live),
            requests=value_counts.size(rate.candidate),
        )

    def _prediction_finding(self) -> Finding:
        rules, counts = self._rules, self._counts
        bound = predictions.distance_bound(counts, rules.expected, self._looks, PASS_ALPHA)
        return self._finding(
            Metric.PREDICTIONS,
            predictions.evidence(counts, rules.expected, rules.tolerance),
            passed=bound <= rules.distance,
            candidate=predictions.distance(counts, rules.expected) if sum(counts) else None,
            live=None,
            requests=sum(counts),
        )

    def _finding(
        self,
        metric: Metric,
        evidence: float,
        *,
        passed: bool,
        candidate: float | None,
        live: float | None,
        requests: float,
    ) -> Finding:
        limit = -math.log(FAIL_ALPHA[metric])
        verdict = Verdict.PASS if passed else Verdict.INCONCLUSIVE
        verdict = Verdict.FAIL if evidence >= limit else verdict
        return Finding(
            metric=metric,
            verdict=verdict,
            candidate=candidate,
            live=live,
            requests=requests,
            evidence=math.exp(min(evidence - limit, 50.0)),
            says=sentence(metric, verdict, candidate, live, requests),
        )


_NOUNS = {
    Metric.ERRORS: "requests answered by an error",
    Metric.LATENCY: "answers slower than the live version's 95th percentile",
    Metric.REJECTED: "rows rejected",
    Metric.PREDICTIONS: "predictions otherwise than expected",
}
_ENDS = {
    Verdict.PASS: "not worse than the margin",
    Verdict.FAIL: "worse",
    Verdict.INCONCLUSIVE: "not enough to say",
}


def sentence(
    metric: Metric, verdict: Verdict, candidate: float | None, live: float | None, requests: float
) -> str:
    """What was found, for a person: both numbers, on how many requests, and what follows."""
    if candidate is None:
        return f"{metric}: no request of the candidate was measured"
    against = f" against {live:.2%}" if live is not None else ""
    return f"{metric}: {candidate:.2%} of {requests:.0f} {_NOUNS[metric]}{against}: {_ENDS[verdict]}"
