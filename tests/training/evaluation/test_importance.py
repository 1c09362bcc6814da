"""Importances against the libraries that define them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from metrics.formulas import Array
from training.evaluation.importance import permutation_losses, shapley

pytestmark = pytest.mark.slow


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def with_pairs(rows: Array) -> Array:
    """Effects of single features and of pairs, of which an order and its reverse give the exact shares."""
    found: Array = (
        3 * rows[:, 0] - rows[:, 1] ** 2 + 2 * rows[:, 0] * rows[:, 2] + np.abs(rows[:, 1] * rows[:, 2])
    )
    return found


@pytest.mark.filterwarnings("ignore")  # of what shap imports
def test_shapley_values_are_those_of_shap(random: np.random.Generator) -> None:
    import shap

    explained, background = random.normal(size=(20, 4)), random.normal(size=(10, 4))
    masker = shap.maskers.Independent(background, max_samples=len(background))
    expected = shap.explainers.ExactExplainer(with_pairs, masker)(explained).values
    assert shapley(with_pairs, explained, background, random) == pytest.approx(expected, abs=1e-9)


def test_shares_of_each_class_add_up_to_the_prediction(random: np.random.Generator) -> None:
    def both(rows: Array) -> Array:
        share = 1 / (1 + np.exp(-rows.prod(axis=1)))
        return np.column_stack([1 - share, share])

    explained, background = random.normal(size=(5, 3)), random.normal(size=(6, 3))
    shares = shapley(both, explained, background, random).sum(axis=1)
    assert shares == pytest.approx(both(explained) - both(background).mean(axis=0), abs=1e-9)


def test_permutation_importance_is_that_of_scikit_learn(random: np.random.Generator) -> None:
    rows = random.normal(size=(4000, 3))
    truth = rows @ [2.0, 1.0, 0.0]
    model = LinearRegression().fit(rows, truth)
    expected = permutation_importance(model, rows, truth, n_repeats=5, random_state=1).importances_mean
    losses = permutation_losses(lambda changed: float(r2_score(truth, model.predict(changed))), rows, random)
    assert losses.mean(axis=1) == pytest.approx(expected, abs=0.05)
    assert losses.mean(axis=1)[2] == pytest.approx(0, abs=1e-9)
