"""Some of the rows say what all of them do, of a rare class, too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.problem_metrics import Rows
from scoring.server.sealed_model import SealedModel
from tabular.samples import Samples
from tests.fixtures.tables import samples_of
from tests.training.evaluation.cases import Array
from training.evaluation import importance
from training.evaluation.holdout_sample import balanced


def labelled(labels: Array) -> Samples:
    rows = len(labels)
    return Samples(np.zeros((rows, 1), np.float32), np.empty((rows, 0), object), labels)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=200), st.integers(14, 60))
def test_every_class_is_among_them_and_each_row_stands_for_its_share(codes: list[int], most: int) -> None:
    names = tuple("abcdefg")
    labels = np.array([names[code] for code in codes], object)
    found = balanced(labelled(labels), names, most, 3)
    chosen = labels[found.chosen]
    assert len(chosen) <= most
    assert set(chosen) == set(labels)
    for label in set(codes):
        stood_for = found.weights[chosen == names[label]].sum()
        assert stood_for == pytest.approx(codes.count(label))


def test_a_metric_of_some_rows_is_that_of_all() -> None:
    random = np.random.default_rng(1)
    truth = (random.random(50_000) < 0.002).astype(float)
    predictions = np.clip(random.normal(0.3 + 0.3 * truth, 0.15), 0, 1)
    rows = Rows("binary", truth, predictions)
    some = balanced(labelled(np.where(truth == 1, "yes", "no").astype(object)), ("no", "yes"), 2_000, 1)
    assert truth[some.chosen].sum() == truth.sum(), "a rare class is there as a whole"
    drawn = rows.at(some.chosen)
    for metric, near in (("roc_auc", 0.01), ("accuracy", 0.005), ("log_loss", 0.02), ("pr_auc", 0.03)):
        assert drawn.score(metric, some.weights) == pytest.approx(rows.score(metric), abs=near), metric


def test_values_are_shuffled_as_often_as_the_rows_stand_for() -> None:
    matrix = np.array([[0.0], [1.0]] * 200)
    seen: list[float] = []

    def score(changed: Array) -> float:
        seen.append(float(changed.mean()))
        return 0.0

    shares = np.tile([0.9, 0.1], 200) / 200
    importance.permutation_losses(score, matrix, np.random.default_rng(1), shares)
    assert np.mean(seen[1:]) == pytest.approx(0.1, abs=0.02)


@pytest.fixture
def fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "PERMUTATION_ROWS", 50)


@pytest.mark.usefixtures("fewer")
def test_importances_are_defined_where_a_class_is_rare(mixed_model: Path) -> None:
    _, samples = samples_of("binary")
    samples = samples.where((samples.target == "no") | (np.arange(len(samples)) % 97 == 0))
    found = importance.rank(SealedModel(mixed_model), samples)
    assert found["permutation_rows"] == 50
    assert found["features"][0]["permutation_mean"] is not None
    assert found["features"][0]["permutation_mean"] > 0


def test_what_is_not_defined_has_no_importance(mixed_model: Path) -> None:
    _, samples = samples_of("binary")
    found = importance.rank(SealedModel(mixed_model), samples.where(samples.target == "no"))
    assert {one["permutation_mean"] for one in found["features"]} == {None}
    shap = [one["shap_mean_abs"] for one in found["features"]]
    assert shap == sorted(shap, reverse=True)
    assert shap[0] > 0
