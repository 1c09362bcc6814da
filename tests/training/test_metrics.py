"""Metrics against scikit-learn's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as reference

from contract.gates import METRICS
from training import metrics


def close(ours: float, theirs: float) -> bool:
    return math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize("digits", [1, 6])
def test_binary(digits: int) -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 500).astype(float)
    p = np.clip(np.round(truth * 0.3 + random.random(500) * 0.7, digits), 0.001, 0.999)
    scores = metrics.measure("binary", truth, p)
    chosen = p >= 0.5
    assert tuple(scores) == METRICS["binary"]
    assert close(scores["accuracy"], reference.accuracy_score(truth, chosen))
    assert close(scores["precision"], reference.precision_score(truth, chosen))
    assert close(scores["recall"], reference.recall_score(truth, chosen))
    assert close(scores["f1"], reference.f1_score(truth, chosen))
    assert close(scores["roc_auc"], reference.roc_auc_score(truth, p))
    assert close(scores["pr_auc"], reference.average_precision_score(truth, p))
    assert close(scores["log_loss"], reference.log_loss(truth, p))
    assert close(scores["brier"], reference.brier_score_loss(truth, p))


def test_multiclass() -> None:
    random = np.random.default_rng(2)
    truth = random.integers(0, 3, 400).astype(float)
    p = random.dirichlet(np.ones(3), 400) * 0.6 + np.eye(3)[truth.astype(int)] * 0.4
    scores = metrics.measure("multiclass", truth, p)
    chosen = p.argmax(axis=1)
    assert tuple(scores) == METRICS["multiclass"]
    assert close(scores["accuracy"], reference.accuracy_score(truth, chosen))
    assert close(scores["precision"], reference.precision_score(truth, chosen, average="macro"))
    assert close(scores["recall"], reference.recall_score(truth, chosen, average="macro"))
    assert close(scores["f1"], reference.f1_score(truth, chosen, average="macro"))
    assert close(scores["roc_auc"], reference.roc_auc_score(truth, p, multi_class="ovr", average="macro"))
    assert close(scores["log_loss"], reference.log_loss(truth, p))


def test_regression() -> None:
    random = np.random.default_rng(3)
    truth = random.normal(size=300)
    values = truth + random.normal(size=300) / 3
    scores = metrics.measure("regression", truth, values)
    assert tuple(scores) == METRICS["regression"]
    assert close(scores["rmse"], reference.root_mean_squared_error(truth, values))
    assert close(scores["mae"], reference.mean_absolute_error(truth, values))
    assert close(scores["r2"], reference.r2_score(truth, values))


def test_intervals_are_seeded_and_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        truth, values = np.zeros(200), random.normal(size=200)
        interval = metrics.with_intervals("regression", truth, values, seed)["rmse"]
        assert interval == metrics.with_intervals("regression", truth, values, seed)["rmse"]
        assert interval["low"] is not None
        assert interval["high"] is not None
        covered += interval["low"] <= 1 <= interval["high"]
    assert covered >= 33


def test_what_is_not_defined_is_none() -> None:
    interval = metrics.with_intervals("binary", np.ones(20), np.full(20, 0.7), 1)["roc_auc"]
    assert interval == {"value": None, "low": None, "high": None}
