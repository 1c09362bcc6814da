"""The checks that `validate` makes of a dataset, and the levels and limits that `model.toml` may set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["stop", "warn", "off"]
Bound = Literal["maximum", "minimum"]

MINIMUM_ROWS, MINIMUM_CLASS_ROWS, MAXIMUM_MISSING_SHARE = 100, 10, 0.95
"""Defaults where `model.toml` says nothing; `./millrace new-model` keeps to them."""

LEVELS: tuple[Level, ...] = ("stop", "warn", "off")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The level of a check's findings, and the value from which on something is one."""

    level: Level
    limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check: its rule by default, on which side of its limit all is well, and the limits it may have.

    `asks` is what it asks of the data; `classes_only` checks make no sense of a regression.
    """

    name: str
    asks: str
    level: Level
    bound: Bound | None = None
    limit: float | None = None
    lowest: float = 0.0
    highest: float = 1.0
    levels: tuple[Level, ...] = LEVELS
    classes_only: bool = False

    @property
    def rule(self) -> Rule:
        return Rule(level=self.level, limit=self.limit)

    def met(self, value: float, rule: Rule) -> bool:
        """Return True if a value is within a rule's limit; without one, if it is zero."""
        if rule.limit is None:
            return not value
        return value <= rule.limit if self.bound == "maximum" else value >= rule.limit


CHECKS: tuple[Check, ...] = (
    Check(
        name="schema",
        asks="Can every file be read as a table with the contract's columns?",
        level="stop",
        levels=("stop",),
    ),
    Check(
        name="values",
        asks="Does every value keep its feature's type, range, closed set and requirement?",
        level="stop",
        levels=("stop", "warn"),
    ),
    Check(
        name="target",
        asks="Does the target hold what the problem needs: two classes, more, or more than one number?",
        level="stop",
        levels=("stop",),
    ),
    Check(
        name="unlabelled",
        asks="Has nearly every row a target?",
        level="stop",
        bound="maximum",
        limit=0.5,
    ),
    Check(
        name="rows",
        asks="Are there enough rows?",
        level="stop",
        bound="minimum",
        limit=MINIMUM_ROWS,
        lowest=2,
        highest=math.inf,
    ),
    Check(
        name="class_rows",
        asks="Has every class enough rows to be learned and tested?",
        level="stop",
        bound="minimum",
        limit=MINIMUM_CLASS_ROWS,
        lowest=2,
        highest=math.inf,
        classes_only=True,
    ),
    Check(
        name="balance",
        asks="Is the rarest class frequent enough, beside an even share of the rows?",
        level="warn",
        bound="minimum",
        limit=0.1,
        classes_only=True,
    ),
    Check(
        name="leakage",
        asks="Does a feature alone give the target away?",
        level="stop",
        bound="maximum",
        limit=0.999,
    ),
    Check(
        name="strong_feature",
        asks="Does a feature alone say suspiciously much about the target?",
        level="warn",
        bound="maximum",
        limit=0.98,
    ),
    Check(
        name="signal",
        asks="Do the features say anything at all about the target?",
        level="stop",
        bound="maximum",
        limit=0.01,
    ),
    Check(
        name="conflicts",
        asks="Do rows with the same features have the same label?",
        level="warn",
        bound="maximum",
        limit=0.01,
        classes_only=True,
    ),
    Check(name="duplicates", asks="Is every row there once?", level="warn", bound="maximum", limit=0.05),
    Check(
        name="missing",
        asks="Is enough of each feature filled in?",
        level="stop",
        bound="maximum",
        limit=MAXIMUM_MISSING_SHARE,
    ),
    Check(name="constant", asks="Does each feature have more than one value?", level="warn"),
    Check(
        name="identifiers",
        asks="Does a feature tell rows apart, rather than say something of them?",
        level="warn",
        bound="maximum",
        limit=0.95,
    ),
    Check(
        name="codes",
        asks="Does a number hold codes, whose order means nothing?",
        level="warn",
        bound="maximum",
        limit=0.1,
    ),
    Check(
        name="time_order",
        asks="Is each file in the order of its times?",
        level="warn",
        bound="maximum",
        limit=0.0,
    ),
    Check(name="future", asks="Is every time in the past?", level="stop", bound="maximum", limit=0.0),
    Check(
        name="random_holdout",
        asks="Are the newest rows held out, where rows have a time?",
        level="warn",
    ),
    Check(
        name="drift",
        asks="Are the features distributed as in the data of the live model?",
        level="warn",
        bound="maximum",
        limit=0.2,
        highest=math.inf,
    ),
    Check(
        name="bias",
        asks="Do the groups of each sensitive feature have the target alike?",
        level="warn",
        bound="maximum",
        limit=0.1,
        highest=math.inf,
    ),
)
"""In the order in which a report names them. What each measures: docs/validation.md."""

BY_NAME: Mapping[str, Check] = {check.name: check for check in CHECKS}


def default_rules() -> dict[str, Rule]:
    """The rule of every check where `model.toml` says nothing."""
    return {check.name: check.rule for check in CHECKS}
