"""Early stopping as AWS describes it for `TrainingJobEarlyStoppingType` = `Auto`."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

Measured = Sequence[float]
"""One trial's objective, each time that it reported it."""


def falls_behind(values: Measured, others: Sequence[Measured], *, minimize: bool) -> bool:
    """Whether a trial's last value is worse than the median of what others had until then.

    Of each other trial that came as far it is the mean of its values that counts. A trial that
    nobody has come as far as before is never behind.
    """
    means = [fmean(other[: len(values)]) for other in others if len(other) >= len(values)]
    if not means:
        return False
    return values[-1] > median(means) if minimize else values[-1] < median(means)
