"""The probability from which on a binary problem's row is predicted positive, or the rule that decides it.

`[target] threshold` of a model.toml, which the contract carries as it was written:

  0.5                                          that number
  { rule = "f1" }                              the greatest F1
  { rule = "youden" }                          the greatest true minus false positive rate
  { rule = "recall", at_least = 0.9 }          the greatest precision with this recall
  { rule = "precision", at_least = 0.8 }       the greatest recall with this precision
  { false_positive = 1, false_negative = 5 }   the least cost
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT = 0.5
BEST = ("f1", "youden")
AT_LEAST = ("recall", "precision")
ALLOWED = (
    'a number between 0 and 1, { rule = "f1" }, { rule = "youden" }, { rule = "recall", at_least = 0.9 }, '
    '{ rule = "precision", at_least = 0.8 }, or the costs { false_positive = 1, false_negative = 5 }'
)

Setting = float | Mapping[str, float | str]


@dataclass(frozen=True)
class Fixed:
    """This number."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True)
class Best:
    """The threshold at which a statistic of `BEST` is greatest."""

    statistic: str

    def __str__(self) -> str:
        return f"best {self.statistic}"


@dataclass(frozen=True)
class AtLeast:
    """The threshold at which a statistic of `AT_LEAST` is still `least`, and the other as great as can be."""

    statistic: str
    least: float

    def __str__(self) -> str:
        return f"{self.statistic} of at least {self.least:g}"


@dataclass(frozen=True)
class Costs:
    """The threshold at which the sum of these costs over all rows is least."""

    false_positive: float
    false_negative: float

    def __str__(self) -> str:
        costs = f"{self.false_positive:g} a false positive and {self.false_negative:g} a false negative"
        return f"least cost, {costs}"


Rule = Fixed | Best | AtLeast | Costs


def parse(setting: object) -> Rule:
    """The rule in a setting.

    Raises:
        ValueError: it is none of the above.
    """
    match setting:
        case bool():
            pass
        case int() | float() if 0 < setting < 1:
            return Fixed(float(setting))
        case {"rule": rule, **others} if rule in BEST and not others:
            return Best(str(rule))
        case {"rule": rule, "at_least": least, **others} if rule in AT_LEAST and not others and _share(least):
            return AtLeast(str(rule), float(least))
        case {"false_positive": positive, "false_negative": negative, **others} if (
            not others and _cost(positive) and _cost(negative)
        ):
            return Costs(float(positive), float(negative))
    raise ValueError(f"{setting!r} is not {ALLOWED}")


def _share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1


def _cost(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")
