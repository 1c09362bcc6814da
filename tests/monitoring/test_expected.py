"""What is to be expected of predictions before their outcomes are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from monitoring.baseline.build import reference, with_outcome
from monitoring.baseline.document import Baseline, Reference
from monitoring.baseline.expected import (
    expected_accuracy,
    expected_error,
    expected_roc_auc,
    expected_share,
)
from monitoring.baseline.resampling import windows

HOLDOUT, WINDOW = 8_000, 20_000


def scored(
    seed: int, rows: int, shape: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Calibrated probabilities, and what turned out."""
    random = np.random.default_rng(seed)
    probability = random.beta(*shape, rows).astype(np.float32)
    return probability, (random.random(rows) < probability).astype(np.float64)


def counted(of: Reference, column: NDArray[Any]) -> NDArray[np.int64]:
    return of.bins.count(column)


@pytest.fixture(scope="module")
def of() -> Reference:
    probability, positive = scored(0, HOLDOUT, (1.0, 1.0))
    draws = windows((100, 1_000), HOLDOUT, np.random.default_rng(0))
    return with_outcome(reference(probability, probability[:0], draws), probability, positive)


@pytest.mark.parametrize("shape", [(1.0, 1.0), (0.4, 0.4), (2.0, 5.0)])
def test_a_windows_metrics_are_known_before_its_labels(of: Reference, shape: tuple[float, float]) -> None:
    probability, positive = scored(2, WINDOW, shape)
    counts = counted(of, probability)
    share = expected_share(of, counts)
    accuracy = expected_accuracy(of, counts, 0.5)
    assert share is not None
    assert accuracy is not None
    assert share.low < positive.mean() < share.high
    assert accuracy.low < ((probability >= 0.5) == positive).mean() < accuracy.high
    assert expected_roc_auc(of, counts) == pytest.approx(roc_auc_score(positive, probability), abs=0.02)


def test_about_one_window_in_twenty_lies_outside(of: Reference) -> None:
    missed = 0
    for seed in range(200):
        probability, positive = scored(seed + 10, 500, (2.0, 5.0))
        share = expected_share(of, counted(of, probability))
        assert share is not None
        missed += not share.low < positive.mean() < share.high
    assert missed <= 20


def test_a_regressions_error_grows_with_values_it_was_bad_at() -> None:
    random = np.random.default_rng(3)
    predicted = random.uniform(0, 10, HOLDOUT).astype(np.float32)
    errors = random.exponential(predicted / 10)
    draws = windows((100, 1_000), HOLDOUT, random)
    of = with_outcome(reference(predicted, predicted[:0], draws), predicted, errors)
    windows_of: list[NDArray[Any]] = [random.uniform(value, value + 1, 500) for value in (1, 8)]
    low, high = (expected_error(of, of.bins.count(window)) for window in windows_of)
    assert low is not None
    assert high is not None
    assert low.mean == pytest.approx(0.15, abs=0.05)
    assert high.mean == pytest.approx(0.85, abs=0.1)


def test_without_outcomes_or_rows_nothing_is_expected(of: Reference) -> None:
    blank = Reference(of.bins, of.counts, of.nulls)
    nothing = np.zeros_like(of.counts)
    assert (expected_share(blank, of.counts), expected_roc_auc(blank, of.counts)) == (None, None)
    assert (expected_share(of, nothing), expected_roc_auc(of, nothing)) == (None, None)


def test_outcomes_are_kept_in_the_document(of: Reference) -> None:
    again = Baseline.from_json(Baseline({}, {"probability": of}).to_json()).predictions["probability"]
    assert again.outcome is not None
    assert again.outcome.tolist() == pytest.approx(
        (of.outcome if of.outcome is not None else of.counts).tolist()
    )
