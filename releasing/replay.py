"""Replay: what production asked of the live version is asked of the candidate, and the answers are compared.

Requests that were asked once and are asked again give pairs, so that a few hundred say much. All of it is
looked at once, at the end: the intervals are those of one look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contract.serving import PREDICTION, PROBABILITY, REJECTED
from releasing.paired import exact_interval, mean_interval
from releasing.verdicts import Verdict

Answer = Mapping[str, Any]
"""One row's answer of the model server, as `contract.serving` has it."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A statistic of the pairs, its interval at 95%, and the verdict by its limit, if it has one."""

    name: str
    value: float
    low: float
    high: float
    pairs: int
    limit: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Pass where all of the interval is within the limit, fail where all of it is beyond."""
        if self.limit is None or self.high <= self.limit:
            return Verdict.PASS
        return Verdict.FAIL if self.low > self.limit else Verdict.INCONCLUSIVE


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that replay says."""

    rows: int
    changed_decisions: Measured
    """The share of rows, scored by both, with another prediction; of numbers, by more than `same_number`."""
    new_rejections: Measured
    """The share of rows that the live version scored and the candidate rejects."""
    score_shift: Measured
    """The mean of the candidate's score less the live version's."""

    @property
    def verdict(self) -> Verdict:
        found = [each.verdict for each in (self.changed_decisions, self.new_rejections, self.score_shift)]
        if Verdict.FAIL in found:
            return Verdict.FAIL
        return Verdict.PASS if set(found) == {Verdict.PASS} and self.rows else Verdict.INCONCLUSIVE


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What `model.toml` allows; None is no limit."""

    changed_decisions: float | None = None
    new_rejections: float | None = None
    score_shift: float | None = None
    """Of its absolute value."""
    same_number: float = 0.0
    """By how much two predictions of a regression may differ and be the same decision."""


def compare(pairs: Iterable[tuple[Answer, Answer]], limits: Limits) -> Comparison:
    """Compare the live version's answers to rows with the candidate's to the same rows, in that order."""
    rows = scored = both = changed = rejected = 0
    total = squares = 0.0
    for live, candidate in pairs:
        rows += 1
        if REJECTED in live:
            continue
        scored += 1
        if REJECTED in candidate:
            rejected += 1
            continue
        both += 1
        changed += _differ(live[PREDICTION], candidate[PREDICTION], limits.same_number)
        shift = _score(candidate) - _score(live)
        total, squares = total + shift, squares + shift * shift
    return Comparison(
        rows=rows,
        changed_decisions=_share("changed decisions", changed, both, limits.changed_decisions),
        new_rejections=_share("new rejections", rejected, scored, limits.new_rejections),
        score_shift=_shift(total, squares, both, limits.score_shift),
    )


def _differ(live: str | float, candidate: str | float, tolerance: float) -> bool:
    if isinstance(live, str) or isinstance(candidate, str):
        return live != candidate
    return abs(live - candidate) > tolerance


def _score(answer: Answer) -> float:
    """The probability of a binary problem, the highest of a multiclass one, or the number itself."""
    if PROBABILITY in answer:
        return float(answer[PROBABILITY])
    probabilities = [float(value) for name, value in answer.items() if name.startswith(f"{PROBABILITY}_")]
    return max(probabilities) if probabilities else float(answer[PREDICTION])


def _share(name: str, count: int, of: int, limit: float | None) -> Measured:
    low, high = exact_interval(count, of)
    return Measured(name=name, value=count / of if of else 0.0, low=low, high=high, pairs=of, limit=limit)


def _shift(total: float, squares: float, pairs: int, limit: float | None) -> Measured:
    low, high = mean_interval(total, squares, pairs)
    if limit is not None:  # of the absolute value
        low, high = (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
    return Measured(
        name="score shift",
        value=total / pairs if pairs else 0.0,
        low=low,
        high=high,
        pairs=pairs,
        limit=limit,
    )
