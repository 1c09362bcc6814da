"""Contracts, samples and predictions made up so that what is to be found in them is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.schema import Contract, Evaluation, Feature, Problem, Target
from metrics.problem_metrics import Rows
from tabular.samples import Samples

Array = NDArray[Any]

CLASSES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}


def contract(
    *features: Feature, problem: Problem = "binary", sensitive: tuple[str, ...] = (), minimum_rows: int = 30
) -> Contract:
    """A contract of these features."""
    target = Target(name="outcome", positive="yes" if problem == "binary" else None)
    return Contract(
        model="made-up",
        problem=problem,
        target=target,
        features=features,
        sensitive=sensitive,
        evaluation=Evaluation(minimum_rows=minimum_rows),
    )


def samples(numbers: list[Array], categories: list[Array]) -> Samples:
    """Samples of columns [n] each; their target does not matter."""
    rows = len((numbers + categories)[0])
    return Samples(
        np.stack(numbers, axis=1).astype(np.float32) if numbers else np.empty((rows, 0), np.float32),
        np.stack(categories, axis=1).astype(object) if categories else np.empty((rows, 0), object),
        np.full(rows, "no", object),
    )


def predicted(problem: str, rows: int, seed: int = 1) -> Rows:
    """Fair predictions of rows [n]."""
    random = np.random.default_rng(seed)
    if problem == "regression":
        truth = random.normal(size=rows)
        return Rows(problem, truth, truth + random.normal(size=rows) / 2)
    if problem == "binary":
        truth = random.integers(0, 2, rows).astype(float)
        return Rows(problem, truth, np.clip(truth * 0.4 + random.random(rows) * 0.6, 0.01, 0.99), 0.4)
    truth = random.integers(0, 3, rows).astype(float)
    shares = random.dirichlet(np.ones(3), rows) * 0.6 + np.eye(3)[truth.astype(int)] * 0.4
    return Rows(problem, truth, shares)
