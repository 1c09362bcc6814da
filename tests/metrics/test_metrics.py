"""Metrics against scikit-learn's, of rows that count once and of rows that are weighted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as reference

from contract.gates import METRICS
from metrics import bootstrap
from metrics.problem_metrics import Rows, measure

WEIGHTS = (None, np.random.default_rng(9).integers(0, 4, 500).astype(float))


def check(rows: Rows, weights: NDArray[np.float64] | None, expected: dict[str, float]) -> None:
    """A resample is how often each row was drawn, which scikit-learn takes as `sample_weight`."""
    if weights is None:
        assert measure(rows.problem, rows.truth, rows.predictions, rows.threshold).keys() == expected.keys()
    given = np.ones((2, len(rows))) if weights is None else np.stack([np.ones(len(rows)), weights])
    for name, value in expected.items():
        found = float(rows.measure(name)(given)[1])
        assert math.isclose(found, value, rel_tol=1e-6, abs_tol=1e-9), name


@pytest.mark.parametrize("weights", WEIGHTS, ids=["once", "weighted"])
@pytest.mark.parametrize("digits", [1, 6])
@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_binary(digits: int, threshold: float, weights: NDArray[np.float64] | None) -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 500).astype(float)
    p = np.clip(np.round(truth * 0.3 + random.random(500) * 0.7, digits), 0.001, 0.999)
    chosen = p >= threshold
    expected = {
        "accuracy": reference.accuracy_score(truth, chosen, sample_weight=weights),
        "precision": reference.precision_score(truth, chosen, sample_weight=weights),
        "recall": reference.recall_score(truth, chosen, sample_weight=weights),
        "f1": reference.f1_score(truth, chosen, sample_weight=weights),
        "roc_auc": reference.roc_auc_score(truth, p, sample_weight=weights),
        "pr_auc": reference.average_precision_score(truth, p, sample_weight=weights),
        "log_loss": reference.log_loss(truth, p, sample_weight=weights),
        "brier": reference.brier_score_loss(truth, p, sample_weight=weights),
        "ece": calibration_error(p, truth, weights),
    }
    assert tuple(expected) == METRICS["binary"]
    check(Rows("binary", truth, p, threshold), weights, expected)


@pytest.mark.parametrize("weights", WEIGHTS, ids=["once", "weighted"])
def test_multiclass(weights: NDArray[np.float64] | None) -> None:
    random = np.random.default_rng(2)
    truth = random.integers(0, 3, 500).astype(float)
    p = random.dirichlet(np.ones(3), 500) * 0.6 + np.eye(3)[truth.astype(int)] * 0.4
    chosen = p.argmax(axis=1)
    macro = {"average": "macro", "sample_weight": weights}
    expected = {
        "accuracy": reference.accuracy_score(truth, chosen, sample_weight=weights),
        "precision": reference.precision_score(truth, chosen, **macro),
        "recall": reference.recall_score(truth, chosen, **macro),
        "f1": reference.f1_score(truth, chosen, **macro),
        "roc_auc": reference.roc_auc_score(truth, p, multi_class="ovr", **macro),
        "pr_auc": reference.average_precision_score(np.eye(3)[truth.astype(int)], p, **macro),
        "log_loss": reference.log_loss(truth, p, sample_weight=weights),
        "brier": reference.brier_score_loss(truth, p, sample_weight=weights),
        "ece": calibration_error(p.max(axis=1), (chosen == truth).astype(float), weights),
    }
    assert tuple(expected) == METRICS["multiclass"]
    check(Rows("multiclass", truth, p), weights, expected)


def test_a_class_that_no_row_is_of_counts_in_no_mean() -> None:
    """As in a slice, or in a resample: the mean is over the classes of which the rows tell something."""
    random = np.random.default_rng(2)
    truth = random.integers(0, 2, 200).astype(float)
    p = np.column_stack([random.dirichlet(np.ones(2), 200), np.zeros(200)]) * 0.9 + 0.05
    rows, chosen = Rows("multiclass", truth, p), p.argmax(axis=1)
    macro = {"average": "macro"}
    expected = {
        "precision": reference.precision_score(truth, chosen, **macro),
        "recall": reference.recall_score(truth, chosen, **macro),
        "f1": reference.f1_score(truth, chosen, **macro),
        "roc_auc": np.mean([reference.roc_auc_score(truth == k, p[:, k]) for k in (0, 1)]),
        "pr_auc": np.mean([reference.average_precision_score(truth == k, p[:, k]) for k in (0, 1)]),
    }
    check(rows, np.ones(200), expected)
    assert math.isnan(Rows("multiclass", np.zeros(200), p).score("roc_auc"))


def test_a_class_that_is_only_predicted_counts_as_one_that_is_missed() -> None:
    p = np.eye(3)[[0, 0, 1, 2]] * 0.9
    rows = Rows("multiclass", np.array([0.0, 0, 1, 1]), p)
    assert rows.score("precision") == pytest.approx(
        reference.precision_score([0, 0, 1, 1], [0, 0, 1, 2], average="macro")
    )


@pytest.mark.parametrize("seed", range(20))
def test_of_one_value_nothing_can_be_explained(seed: int) -> None:
    """A resample may hold one value of the truth only: what rounding leaves of its variance is none."""
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.full(30, random.normal()), random.normal(size=40)])
    drawn = np.concatenate([random.integers(0, 3, 30), np.zeros(40)])
    rows = Rows("regression", truth, truth + random.normal(size=70))
    assert np.isnan(rows.measure("r2")(drawn[None, :])).all()


@pytest.mark.parametrize("weights", WEIGHTS, ids=["once", "weighted"])
def test_regression(weights: NDArray[np.float64] | None) -> None:
    random = np.random.default_rng(3)
    truth = random.normal(size=500)
    values = truth + random.normal(size=500) / 3
    counts = np.ones(500) if weights is None else weights
    errors = np.abs(values - truth)
    expected = {
        "rmse": reference.root_mean_squared_error(truth, values, sample_weight=weights),
        "mae": reference.mean_absolute_error(truth, values, sample_weight=weights),
        "r2": reference.r2_score(truth, values, sample_weight=weights),
        **{
            f"absolute_error_p{share}": np.quantile(
                errors, share / 100, weights=counts, method="inverted_cdf"
            )
            for share in (50, 90, 99)
        },
    }
    assert tuple(expected) == METRICS["regression"]
    check(Rows("regression", truth, values), weights, expected)


def calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> float:
    """The definition, a bin at a time."""
    counts = np.ones(len(correct)) if weights is None else weights
    error = 0.0
    for k in range(10):
        inside = (confidence >= k / 10) & (confidence < (k + 1) / 10 if k < 9 else confidence <= 1)
        if counts[inside].sum():
            gap = np.average(confidence[inside] - correct[inside], weights=counts[inside])
            error += abs(gap) * counts[inside].sum() / counts.sum()
    return float(error)


def test_intervals_are_seeded_and_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        rows = Rows("regression", np.zeros(200), random.normal(size=200))
        interval = bootstrap.intervals(rows, seed)["rmse"]
        assert interval == bootstrap.intervals(rows, seed)["rmse"]
        assert interval["low"] is not None
        assert interval["high"] is not None
        covered += interval["low"] <= 1 <= interval["high"]
    assert covered >= 33


def test_resamples_do_not_make_a_calibrated_model_seem_worse() -> None:
    """They repeat rows, which widens the gaps in each bin; the value stays in the middle of its interval."""
    random = np.random.default_rng(0)
    p = random.random(400)
    rows = Rows("binary", (random.random(400) < p).astype(float), p)
    drawn = bootstrap.resampled({"ece": rows.measure("ece")}, 400, 1)["ece"]
    assert drawn.mean() > 1.5 * rows.score("ece")
    found = bootstrap.intervals(rows, 1)["ece"]
    assert found["low"] is not None
    assert found["high"] is not None
    assert (found["low"] + found["high"]) / 2 == pytest.approx(rows.score("ece"), rel=0.1)


def test_what_has_no_finite_value_is_not_defined() -> None:
    """As of a model whose prediction 32 bits cannot hold. JSON has no word for it."""
    assert bootstrap.interval(math.inf, [1.0, math.inf]) == {"value": None, "low": None, "high": None}
    assert bootstrap.interval(2.0, [2.0, math.inf, math.nan]) == {"value": 2, "low": 2, "high": 2}


def test_what_is_not_defined_is_none() -> None:
    interval = bootstrap.intervals(Rows("binary", np.ones(20), np.full(20, 0.7)), 1)["roc_auc"]
    assert interval == {"value": None, "low": None, "high": None}


def test_two_models_are_compared_in_pairs() -> None:
    """What both get wrong alike does not count: the interval of the difference is far the narrower."""
    random = np.random.default_rng(4)
    truth = random.normal(size=400)
    champion = Rows("regression", truth, truth + random.normal(size=400))
    challenger = Rows("regression", truth, champion.predictions + 0.01 * random.normal(size=400))
    found = bootstrap.paired(champion, challenger, 1)["mae"]
    alone = bootstrap.intervals(challenger, 1)["mae"]
    assert found["difference"] == challenger.score("mae") - champion.score("mae")
    assert found["low"] is not None
    assert found["high"] is not None
    assert alone["low"] is not None
    assert alone["high"] is not None
    assert found["low"] <= found["difference"] <= found["high"]
    assert found["high"] - found["low"] < 0.1 * (alone["high"] - alone["low"])
