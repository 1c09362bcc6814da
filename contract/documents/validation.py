"""The shape of validate's report.json, for those who write it and those who read it."""

from __future__ import annotations

from typing import Literal, TypedDict

from contract.checks import Level

Outcome = Literal["passed", "warned", "stopped", "off", "skipped"]


class Problem(TypedDict):
    """A finding that stops the run or is warned of, in a sentence and in its parts."""

    check: str
    level: Level
    sentence: str
    message: str
    do: str
    value: float
    limit: float | None
    column: str
    code: str
    file: str
    place: int | None
    unit: str
    example: str
    count: int
    certain: bool


class CheckMade(TypedDict):
    """One check. `value` is the worst it measured, in `column`; `why` says why it was not made."""

    check: str
    asks: str
    level: Level
    bound: str | None
    limit: float | None
    outcome: Outcome
    value: float | None
    column: str
    why: str
    found: int


class FeatureLooked(TypedDict):
    """One feature. `distinct` and `alone` are of the sample; `alone` is ROC AUC, or R² of a regression.

    `psi` is against the data of the live model, None where there is none to compare with, and of times.
    """

    feature: str
    type: str
    missing: float
    distinct: int
    alone: float | None
    psi: float | None


class Validation(TypedDict):
    """`sampled_rows` is how many of the `sound_rows` were looked at where all of them would cost too much.

    `not_compared` says of features, by name, why they are not compared with the data of `compared_with`.
    """

    dataset_version: str
    passed: bool
    rows: int
    unlabelled_rows: int
    sound_rows: int
    sampled_rows: int
    duplicate_rows: int
    conflicting_rows: int
    files: dict[str, int]
    missing: dict[str, int]
    classes: dict[str, int]
    compared_with: str | None
    problems: list[Problem]
    checks: list[CheckMade]
    features: list[FeatureLooked]
    not_compared: dict[str, str]
