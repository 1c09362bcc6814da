"""How CloudWatch decides an alarm's state, as pure functions of data points.

After "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch user
guide. One difference, on purpose: the period that is still running counts as a period, so that a page
comes within seconds here and not within minutes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

EXTRA_PERIODS = 2
"""CloudWatch looks at more periods than EvaluationPeriods. How many it does not say; its examples show 2."""

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class State(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """TreatMissingData."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What of an alarm's configuration decides its state."""

    threshold: float
    comparison: str
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    treat_missing_data: Missing = Missing.MISSING

    def __post_init__(self) -> None:
        if self.comparison not in _COMPARISONS:
            allowed = ", ".join(_COMPARISONS)
            raise ValueError(f"ComparisonOperator {self.comparison}: the local cloud evaluates {allowed}")
        if not 1 <= self.datapoints_to_alarm <= self.evaluation_periods:
            raise ValueError("DatapointsToAlarm must be between 1 and EvaluationPeriods")

    @property
    def evaluation_range(self) -> int:
        """How many periods are looked at."""
        return self.evaluation_periods + EXTRA_PERIODS

    def breaches(self, value: float) -> bool:
        """Whether the value is beyond the threshold."""
        return _COMPARISONS[self.comparison](value, self.threshold)


@dataclass(frozen=True)
class Verdict:
    """The state, and the sentence that CloudWatch gives as its reason."""

    state: State
    reason: str


def evaluate(rule: Rule, values: Sequence[float | None], current: State) -> Verdict:
    """The alarm's state, given a value or None for each period of its evaluation range, oldest first."""
    needed = rule.evaluation_periods
    present = [value for value in values if value is not None]
    if len(present) >= needed:
        # Enough data: what is missing in between is not looked at.
        considered = present[-needed:]
        breaching = sum(map(rule.breaches, considered))
        state = State.ALARM if breaching >= rule.datapoints_to_alarm else State.OK
        return Verdict(state, _crossed(rule, considered, breaching, state))
    return _with_gaps(rule, values, present, current)


def _with_gaps(
    rule: Rule, values: Sequence[float | None], present: Sequence[float], current: State
) -> Verdict:
    treat = rule.treat_missing_data
    missing = rule.evaluation_periods - len(present)
    note = f" {missing} missing data point(s) treated as [{treat}]."
    breaching = sum(map(rule.breaches, present))
    if treat in (Missing.MISSING, Missing.IGNORE) and breaching == len(present):
        # Nothing that came was in order, and not enough came.
        if treat is Missing.IGNORE:
            return Verdict(current, f"The current state is kept:{note}")
        if not present:
            return Verdict(State.INSUFFICIENT_DATA, "Insufficient Data: no data points were received.")
        if _age_of_oldest(values[-rule.evaluation_periods :]) >= rule.datapoints_to_alarm:
            # "Avoiding premature transitions to alarm state": old enough that waiting would not help.
            return Verdict(State.ALARM, _crossed(rule, present, breaching, State.ALARM) + note)
    filled = breaching + missing * (treat is Missing.BREACHING)
    state = State.ALARM if filled >= rule.datapoints_to_alarm else State.OK
    return Verdict(state, _crossed(rule, present, breaching, state) + note)


def _age_of_oldest(values: Sequence[float | None]) -> int:
    """How many periods back the oldest value is; 1 is the last period, 0 means that there is none."""
    return next((len(values) - index for index, value in enumerate(values) if value is not None), 0)


def _crossed(rule: Rule, considered: Sequence[float], breaching: int, state: State) -> str:
    listed = ", ".join(f"{value:g}" for value in considered) or "none"
    count = breaching if state is State.ALARM else len(considered) - breaching
    words = {
        "GreaterThanOrEqualToThreshold": "greater than or equal to",
        "GreaterThanThreshold": "greater than",
        "LessThanThreshold": "less than",
        "LessThanOrEqualToThreshold": "less than or equal to",
    }[rule.comparison]
    relation = words if state is State.ALARM else f"not {words}"
    return (
        f"Threshold Crossed: {count} out of the last {len(considered)} datapoints [{listed}] were "
        f"{relation} the threshold ({rule.threshold:g}) (minimum {rule.datapoints_to_alarm} datapoint(s) "
        "for OK -> ALARM transition)."
    )
