"""What must hold for a dataset as a whole, and how a problem is told to a person."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from contract.schema import Contract

MINIMUM_CLASS_ROWS = 10
"""With fewer rows a class cannot be both learned from and tested on."""

_LISTED_CLASSES = 5


@dataclass(kw_only=True)
class Problem:
    """One thing wrong: the check, where it was first met, an example, and in how many rows."""

    check: str
    message: str
    file: str = ""
    line: int | None = None
    column: str = ""
    example: str = ""
    count: int = 1

    @property
    def sentence(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        subject = " in ".join(part for part in (self.column, place) if part)
        often = f" ({self.count} rows, this is the first)" if self.count > 1 else ""
        return f"{subject}: {self.message}{often}." if subject else f"{self.message}{often}."


@dataclass
class Totals:
    """Counts over a whole dataset: rows by file, missing values by column, rows by class."""

    rows: int = 0
    files: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    target_range: tuple[float, float] = (math.inf, -math.inf)
    digests: set[int] = field(default_factory=set)

    @property
    def duplicates(self) -> int:
        """Rows whose features equal those of an earlier row."""
        return self.rows - len(self.digests)


def judge(contract: Contract, totals: Totals) -> Iterator[Problem]:
    """Each way in which the whole dataset breaks the contract's limits."""
    limits = contract.training
    if not totals.files:
        yield Problem(check="no_file", message="the dataset has no file")
        return
    if totals.rows < limits.minimum_rows:
        message = f"{totals.rows} rows; training.minimum_rows is {limits.minimum_rows}"
        yield Problem(check="too_few_rows", message=message)
    if not totals.rows:
        return
    yield from _missing_shares(contract, totals)
    if totals.duplicates > limits.maximum_duplicate_share * totals.rows:
        share = totals.duplicates / totals.rows
        message = (
            f"{share:.0%} of the rows repeat the features of another; "
            f"training.maximum_duplicate_share is {limits.maximum_duplicate_share:.0%}"
        )
        yield Problem(check="too_many_duplicates", message=message)
    yield from (_regression_target if contract.problem == "regression" else _classes)(contract, totals)


def _missing_shares(contract: Contract, totals: Totals) -> Iterator[Problem]:
    limit = contract.training.maximum_missing_share
    for name in contract.feature_names:
        share = totals.missing[name] / totals.rows
        if share > limit:
            message = f"{share:.0%} of the values are missing; training.maximum_missing_share is {limit:.0%}"
            yield Problem(check="too_many_missing", column=name, message=message)


def _regression_target(contract: Contract, totals: Totals) -> Iterator[Problem]:
    low, high = totals.target_range
    if low >= high:
        yield Problem(
            check="constant_target", column=contract.target.name, message="every row has the same value"
        )


def _classes(contract: Contract, totals: Totals) -> Iterator[Problem]:
    name, positive, classes = contract.target.name, contract.target.positive, totals.classes
    listed = ", ".join(map(repr, sorted(classes)[:_LISTED_CLASSES])) + (
        ", …" if len(classes) > _LISTED_CLASSES else ""
    )
    if positive is not None and positive not in classes:
        yield Problem(
            check="no_positive", column=name, message=f"no row has the positive {positive!r}; found {listed}"
        )
    if contract.problem == "binary" and len(classes) > 2:
        message = f'{len(classes)} values ({listed}): a binary problem has two, problem = "multiclass" more'
        yield Problem(check="not_binary", column=name, message=message)
    if len(classes) < 2:
        yield Problem(check="one_class", column=name, message=f"every row has the same value, {listed}")
    for label, rows in sorted(classes.items()):
        if rows < MINIMUM_CLASS_ROWS:
            message = f"{rows} rows of {label!r}; a class needs {MINIMUM_CLASS_ROWS} at least"
            yield Problem(check="too_few_of_class", column=name, message=message)
