"""Intervals that hold at every moment at once: they may be looked at any time, as often as one likes.

For means of values between 0 and 1: the predictable plug-in empirical-Bernstein sequence of Waudby-Smith and
Ramdas (2024, theorem 2), in one pass and five numbers. It never needs the number of rows beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

ALPHA = 0.05
_LARGEST_BET = 0.5


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean and its bounds."""

    mean: float
    low: float
    high: float


@dataclass(kw_only=True)
class MeanSequence:
    """The mean of a stream of values in [0, 1], with bounds that all hold with probability 1 − `alpha`."""

    alpha: float = ALPHA
    rows: int = 0
    total: float = 0.0
    squares: float = 0.25
    """Sum of squared differences from the mean so far, begun with one of a quarter."""
    bets: float = 0.0
    weighted: float = 0.0
    penalty: float = 0.0
    low: float = 0.0
    high: float = 1.0

    def add(self, values: Iterable[float]) -> None:
        """Take further values, in the order in which they came to be known."""
        level = math.log(2 / self.alpha)
        for value in values:
            before = (0.5 + self.total) / (self.rows + 1)
            variance = self.squares / (self.rows + 1)
            step = self.rows + 1
            bet = min(math.sqrt(2 * level / (variance * step * math.log(1 + step))), _LARGEST_BET)
            self.bets += bet
            self.weighted += bet * value
            self.penalty += (value - before) ** 2 * (-math.log1p(-bet) - bet)
            self.rows += 1
            self.total += value
            mean = (0.5 + self.total) / (self.rows + 1)
            self.squares += (value - mean) ** 2
        if self.rows:
            centre, margin = self.weighted / self.bets, (level + self.penalty) / self.bets
            # What was ruled out once stays so.
            self.low = max(self.low, min(centre - margin, 1.0))
            self.high = min(self.high, max(centre + margin, 0.0))

    @property
    def interval(self) -> Interval:
        """The mean so far, or the middle of what is possible, within its bounds."""
        mean = self.total / self.rows if self.rows else 0.5
        low, high = min(self.low, mean), max(self.high, mean)
        return Interval(mean=mean, low=low, high=high)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        return cls(**document)


def prediction_powered_mean(
    unlabelled: tuple[float, float, int], rectifier: tuple[float, float, int], z: float = 1.959964
) -> Interval:
    """A mean from many predictions and few labels (Angelopoulos et al., 2023, algorithm 1).

    Each of both is a mean, a variance and a number of rows: of what the model expects, over all rows, and
    of what turned out less what it expected, over the labelled ones.
    """
    (predicted, spread, rows), (error, error_spread, labelled) = unlabelled, rectifier
    mean = predicted + error
    margin = z * math.sqrt(spread / max(rows, 1) + error_spread / max(labelled, 1))
    return Interval(mean=mean, low=mean - margin, high=mean + margin)
