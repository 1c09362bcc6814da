"""Sequences of intervals that cover the mean at every moment at once."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.confidence_sequences import MeanSequence, prediction_powered_mean


def sequence(values: np.ndarray, looks: int = 50) -> list[tuple[float, float]]:
    mean = MeanSequence()
    seen = []
    for part in np.array_split(values, looks):
        mean.add(part.tolist())
        seen.append((mean.interval.low, mean.interval.high))
    return seen


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.5])
def test_all_looks_cover_the_mean_together(rate: float) -> None:
    random = np.random.default_rng(1)
    missed = 0
    for _ in range(200):
        looks = sequence((random.random(1_000) < rate).astype(float))
        missed += any(not low <= rate <= high for low, high in looks)
    assert missed <= 0.05 * 200


def test_the_interval_narrows_with_the_variance() -> None:
    random = np.random.default_rng(2)
    rare = sequence((random.random(5_000) < 0.02).astype(float))[-1]
    even = sequence((random.random(5_000) < 0.5).astype(float))[-1]
    assert rare[1] - rare[0] < 0.025
    assert rare[1] - rare[0] < (even[1] - even[0]) / 2


def test_a_mean_that_moves_is_noticed() -> None:
    before = np.random.default_rng(3).random(2_000) < 0.05
    after = np.random.default_rng(4).random(2_000) < 0.15
    mean = MeanSequence()
    mean.add(before.astype(float).tolist())
    assert mean.interval.high < 0.1
    mean = MeanSequence()
    mean.add(after.astype(float).tolist())
    assert mean.interval.low > 0.1


def test_a_sequence_goes_on_from_its_document() -> None:
    values = (np.random.default_rng(5).random(300) < 0.2).astype(float)
    at_once, in_two = MeanSequence(), MeanSequence()
    at_once.add(values[:100].tolist())
    at_once.add(values[100:].tolist())
    in_two.add(values[:100].tolist())
    again = MeanSequence.from_json(in_two.to_json())
    again.add(values[100:].tolist())
    assert again == at_once


def test_few_labels_correct_many_predictions() -> None:
    random = np.random.default_rng(6)
    covered = 0
    for _ in range(200):
        truth = random.random(5_000) < 0.3
        expected = np.clip(truth * 0.7 + 0.25 + random.normal(0, 0.1, 5_000), 0, 1)
        labelled = random.choice(5_000, 200, replace=False)
        errors = truth[labelled] - expected[labelled]
        found = prediction_powered_mean(
            (float(expected.mean()), float(expected.var()), 5_000),
            (float(errors.mean()), float(errors.var()), 200),
        )
        covered += found.low <= 0.3 <= found.high
    assert covered >= 0.9 * 200
