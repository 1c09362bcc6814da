"""Bounds of a mean of values in [0, 1] that hold at every look, from the counts of the values alone.

By betting against "the mean is at least m" (Waudby-Smith and Ramdas, 2024): for each value v the wealth is
multiplied by 1 + λ (m − v), whose mean is at most 1 where that is so, with the λ that is best if the mean is
f · m, and mixed over a few f. For values 0 and 1 that is the likelihood ratio of the rates f · m and m. The
upper bound is the least m that is refuted at 1/α; the lower bound likewise, by values that are greater.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from releasing.value_counts import Values, log_mean

_SMALLER = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.93)
_SMALLER_WEIGHTS = (0.35, 0.05, 0.3, 0.2, 0.06, 0.02, 0.01, 0.01)
"""Most of it on 0 and on a fifth of the mean: clean candidates pass early, good ones in time."""
_GREATER = (1.05, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
_NEARLY_ALL = 0.95
"""The greatest mean that is betted on, where a fleet fails altogether."""
_STEPS = 30
_LEAST = 1e-9


def against_at_least(mean: float, values: Values) -> float:
    """The logarithm of the evidence that values have a smaller mean than this one, in (0, 1)."""
    wealths = [_wealth(values, (factor - 1) / (1 - mean), mean) for factor in _SMALLER]
    return log_mean(wealths, _SMALLER_WEIGHTS)


def against_at_most(mean: float, values: Values) -> float:
    """The logarithm of the evidence that values have a greater mean than this one, in (0, 1)."""
    factors = [factor for factor in _GREATER if factor * mean < _NEARLY_ALL]
    if mean < _NEARLY_ALL:
        factors.append(_NEARLY_ALL / mean)
    wealths = [_wealth(values, (factor - 1) / (1 - mean), mean) for factor in factors]
    return log_mean(wealths) if wealths else 0.0


def upper(values: Values, alpha: float) -> float:
    """A bound that the true mean is below with probability 1 − alpha, at every look."""
    return _boundary(lambda mean: against_at_least(mean, values) < math.log(1 / alpha))


def lower(values: Values, alpha: float) -> float:
    """A bound that the true mean is above with probability 1 − alpha, at every look."""
    return _boundary(lambda mean: against_at_most(mean, values) >= math.log(1 / alpha))


def _wealth(values: Values, bet: float, mean: float) -> float:
    """The logarithm of what is left of a bet on each value: positive ones on values above the mean."""
    total = 0.0
    for value, count in values.items():
        if count:
            grown = 1 + bet * (value - mean)
            if grown <= 0:
                return -math.inf
            total += count * math.log(grown)
    return total


def _boundary(holds: Callable[[float], bool]) -> float:
    """The mean up to which a property holds that holds of small means."""
    low, high = _LEAST, 1 - _LEAST
    if not holds(low):
        return 0.0
    if holds(high):
        return 1.0
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high
