"""Tables to train on: scikit-learn's, and one that holds everything a contract can say."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from typing import Any, Literal

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from contract.checks import Rule, default_rules
from contract.schema import Contract, Feature, Problem, Target, Training
from training.rows import RowReader
from training.samples import Samples


@dataclass(frozen=True)
class Table:
    """A contract, and rows of text under a header that end in the target."""

    contract: Contract
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def csv(self, rows: Sequence[Sequence[str]] | None = None) -> str:
        return to_csv([self.header, *(self.rows if rows is None else rows)])

    def with_training(self, **options: Any) -> Table:
        return replace(self, contract=replace(self.contract, training=Training(**options)))

    def with_rules(self, **rules: Rule) -> Table:
        """With other levels or limits of some checks."""
        return replace(self, contract=replace(self.contract, validation={**default_rules(), **rules}))


def to_csv(rows: Sequence[Sequence[str]], quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows(rows)
    return text.getvalue()


@cache
def tumor() -> Table:
    data = load_breast_cancer()
    classes = [str(data.target_names[code]) for code in data.target]
    return _numeric("tumor", "binary", data, classes, Target(name="diagnosis", positive="malignant"))


@cache
def wine() -> Table:
    data = load_wine()
    return _numeric(
        "wine", "multiclass", data, [f"class {code}" for code in data.target], Target(name="cultivar")
    )


@cache
def diabetes() -> Table:
    data = load_diabetes()
    return _numeric("diabetes", "regression", data, list(map(str, data.target)), Target(name="progression"))


def _numeric(name: str, problem: Problem, data: Any, target: list[str], column: Target) -> Table:
    names = tuple(feature.replace(" ", "_") for feature in data.feature_names)
    features = tuple(Feature(name=feature, type="number", required=True) for feature in names)
    rows = tuple((*map(repr, map(float, row)), value) for row, value in zip(data.data, target, strict=True))
    contract = Contract(model=name, problem=problem, target=column, features=features)
    return Table(contract, (*names, column.name), rows)


ESTIMATORS = ("hist-gradient-boosting", "random-forest", "logistic-regression")
"""The built-in ones; `of_problem` says what the last is called of a regression."""


def of_problem(estimator: str, problem: Problem) -> str:
    """The estimator as a contract of this problem names it."""
    linear = estimator == "logistic-regression"
    return "ridge-regression" if linear and problem == "regression" else estimator


MIXED_FEATURES = (
    Feature(name="amount", type="number", missing=("n/a", "9999"), minimum=0, maximum=10_000),
    Feature(name="colour", type="category", missing=("?",)),
    Feature(name="opened", type="datetime", missing=("never",)),
    Feature(name="size", type="category", required=True, values=("S", "M", "L")),
    Feature(name="ratio", type="number"),
    Feature(name="plan", type="category", values=("free", "paid")),
)
"""Every type, with and without bounds, markers, closed sets and requirement."""

COLOURS = ("red", "green", "blue", "100%", "naïve", 'quo"ted', "com,ma")


@cache
def mixed(problem: Problem = "binary") -> Table:
    draw = random.Random(3)
    rows = tuple(_mixed_row(draw, problem) for _ in range(600))
    target = Target(name="outcome", positive="yes" if problem == "binary" else None)
    contract = Contract(model="mixed", problem=problem, target=target, features=MIXED_FEATURES)
    return Table(contract, (*contract.feature_names, "outcome"), rows)


def _mixed_row(draw: random.Random, problem: Problem) -> tuple[str, ...]:
    amount, ratio = draw.uniform(0, 10_000), draw.gauss(0, 1)
    colour, size, plan = draw.choice(COLOURS), draw.choice("SML"), draw.choice(("free", "paid", ""))
    month = draw.randint(1, 12)
    signal = amount / 5_000 + ratio + 2 * (colour in ("red", "100%")) + (size == "S") + month / 12
    signal += draw.gauss(0, 0.3)
    target = {
        "binary": "yes" if signal > 2.5 else "no",
        "multiclass": "low" if signal < 2 else "middle" if signal < 3.2 else "high",
        "regression": f"{signal:.3f}",
    }[problem]
    return (
        draw.choice(("n/a", "9999", "")) if draw.random() < 0.1 else f"{amount:.2f}",
        "?" if draw.random() < 0.1 else colour,
        "never" if draw.random() < 0.1 else f"2024-{month:02}-{draw.randint(1, 28):02}T10:00:00+02:00",
        size,
        "" if draw.random() < 0.1 else repr(ratio),
        plan,
        target,
    )


TICKET_FEATURES = (
    Feature(name="note", type="text", missing=("-",)),
    Feature(name="opened", type="datetime"),
    Feature(name="channel", type="category", missing=("?",)),
    Feature(name="subject", type="text", required=True),
    Feature(name="waited", type="number", minimum=0),
)
"""Texts and times, from which more columns are derived."""
NOTES = ("refund please", "great, thanks", "broken on arrival", "where is my order", "naïve café owner")


@cache
def tickets(problem: Problem = "binary") -> Table:
    """Rows whose target hangs on words, on the weekday and on the hour."""
    draw = random.Random(11)
    rows = tuple(_ticket(draw, problem) for _ in range(500))
    target = Target(name="outcome", positive="yes" if problem == "binary" else None)
    contract = Contract(model="tickets", problem=problem, target=target, features=TICKET_FEATURES)
    return Table(contract, (*contract.feature_names, "outcome"), rows)


def _ticket(draw: random.Random, problem: Problem) -> tuple[str, ...]:
    note, subject = draw.choice(NOTES), " ".join(draw.choices(("Urgent", "order", "hello!", "ÄRGER"), k=3))
    opened = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=draw.randrange(60 * 24 * 364))
    waited, channel = draw.uniform(0, 48), draw.choice(("mail", "phone", "?"))
    signal = 2 * ("refund" in note or "broken" in note) + ("Urgent" in subject) + waited / 48
    signal += (opened.weekday() > 4) + (opened.hour < 8) + draw.gauss(0, 0.2)
    target = {
        "binary": "yes" if signal > 2.2 else "no",
        "multiclass": "low" if signal < 1.5 else "middle" if signal < 2.8 else "high",
        "regression": f"{signal:.3f}",
    }[problem]
    return (
        draw.choice(("", "-", "!!!")) if draw.random() < 0.1 else f"{note} {draw.randrange(10_000)}",
        "" if draw.random() < 0.1 else opened.isoformat(),
        channel,
        subject,
        f"{waited:.2f}",
        target,
    )


def samples_of(problem: Problem, table: Table | None = None) -> tuple[Contract, Samples]:
    """A table, or the mixed one, as a contract and samples to fit."""
    table = table or mixed(problem)
    block = RowReader(table.contract.features, table.header).read(table.rows)
    target = np.array([row[-1] for row in table.rows], object)
    target = target.astype(np.float32) if problem == "regression" else target
    return table.contract, Samples(block.numbers, block.categories, target, block.texts)
