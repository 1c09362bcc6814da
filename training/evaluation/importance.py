"""Which features the model's predictions hang on.

Permutation importance as scikit-learn's `permutation_importance` computes it (Breiman, 2001), and
Shapley values by sampling permutations forwards and backwards (Mitchell et al., Sampling
Permutations for Shapley Value Estimation, 2022, section 3.3), as shap's `PermutationExplainer`
does. The tests hold both against those libraries: importing them takes longer than all of
evaluation does, and shap compiles itself anew in each process.

Both run on the matrix of numbers and codes that the model server makes, so that a category is
one feature, as are a date and a text, and what takes the place of a value is always another row's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from contract.documents.evaluation import Importances
from contract.gates import LOWER_IS_BETTER, PRIMARY
from metrics.bootstrap import defined
from metrics.formulas import Array
from scoring.server.sealed_model import SealedModel
from tabular.samples import Samples
from training.evaluation.fold_models import FoldModels
from training.evaluation.holdout_sample import balanced

PERMUTATION_ROWS = 2_000
REPEATS = 5
SHAP_ROWS = 100
BACKGROUND_ROWS = 20
_BATCH_ROWS = 20_000


def rank(model: SealedModel, holdout: Samples, folds: FoldModels | None = None) -> Importances:
    """Each feature's importance, the greatest first.

    `folds` are asked in the model's stead what a feature is worth on rows that were not seen; what moves
    the predictions of the model that ships is asked of itself.
    """
    contract = model.contract
    metric = contract.evaluation.metric or PRIMARY[contract.problem]
    seed = contract.training.seed
    drawn = balanced(holdout, model.classes, PERMUTATION_ROWS, seed)
    some = holdout.where(drawn.chosen)
    matrix, truth = model.matrix(some), some.coded_target(model.classes)
    sign = -1 if metric in LOWER_IS_BETTER else 1
    asked = folds.where(drawn.chosen) if folds else model

    def score(changed: Array) -> float:
        return sign * asked.rows_of(changed, truth, some.texts).score(metric, drawn.weights)

    losses = permutation_losses(score, asked.matrix(some), np.random.default_rng(seed), drawn.shares)
    few = min(len(matrix), SHAP_ROWS + BACKGROUND_ROWS)
    order = np.random.default_rng(seed).choice(len(matrix), few, replace=False, p=drawn.shares)
    explained, background = matrix[order[:SHAP_ROWS]], matrix[order[-BACKGROUND_ROWS:]]
    predict = partial(model.predict, texts=some.texts)
    values = shapley(predict, explained, background, np.random.default_rng(seed))
    shares = np.abs(values).mean(axis=0)
    shares = shares.sum(axis=1) if shares.ndim == 2 else shares
    names = [f.name for f in contract.in_model_order]
    means, spreads = losses.mean(axis=1), losses.std(axis=1)
    return {
        "metric": metric,
        "permutation_rows": len(matrix),
        "repeats": REPEATS,
        "shap_rows": len(explained),
        "shap_background_rows": len(background),
        "features": [
            {
                "feature": names[i],
                "permutation_mean": defined(float(means[i])),
                "permutation_std": defined(float(spreads[i])),
                "shap_mean_abs": float(shares[i]),
            }
            for i in np.lexsort((-shares, -means)).tolist()
        ],
    }


def permutation_losses(
    score: Callable[[Array], float], matrix: Array, random: np.random.Generator, shares: Array | None = None
) -> Array:
    """By how much the score of a matrix [n, k] falls when one column is shuffled: [k, REPEATS].

    Where rows stand for others in different `shares` [n], values are drawn by these instead.
    """
    whole = score(matrix)
    losses = np.zeros((matrix.shape[1], REPEATS))
    for j in range(matrix.shape[1]):
        changed = matrix.copy()
        for repeat in range(REPEATS):
            rows = len(matrix)
            taken = random.permutation(rows) if shares is None else random.choice(rows, rows, p=shares)
            changed[:, j] = matrix[taken, j]
            losses[j, repeat] = whole - score(changed)
    return losses


def shapley(
    predict: Callable[[Array], Array], explained: Array, background: Array, random: np.random.Generator
) -> Array:
    """Shapley values [n, k] or [n, k, classes] of the rows explained [n, k], against a background [m, k].

    For each row one order of the features is drawn. Along it, and back, one feature after the
    other takes the row's value in all background rows; by how much that moves the mean prediction
    is its share. The shares of a row add up to its prediction less the background's mean.
    """
    n, k = explained.shape
    steps = 2 * k + 1
    orders = np.stack([random.permutation(k) for _ in range(n)])
    ranks = np.argsort(orders, axis=1)
    step = np.arange(steps)[:, None]
    # Feature of rank r is the row's from step r + 1 on, and the background's again from step k + r + 1 on.
    taken = (step > ranks[:, None, :]) & (step <= k + ranks[:, None, :])
    size = max(1, _BATCH_ROWS // (steps * len(background)))
    means = []
    for first in range(0, n, size):
        rows = explained[first : first + size, None, None, :]
        mask = taken[first : first + size, :, None, :]
        mixed = np.where(mask, rows, background[None, None, :, :]).reshape(-1, k)
        found = predict(np.ascontiguousarray(mixed))
        means.append(found.reshape(-1, steps, len(background), *found.shape[1:]).mean(axis=2))
    path = np.concatenate(means)
    moved = np.diff(path, axis=1)
    # On the way back a feature's move is its departure.
    shares = (moved[:, :k] - moved[:, k:]) / 2
    values: Array = np.take_along_axis(shares, ranks.reshape(n, k, *[1] * (shares.ndim - 2)), axis=1)
    return values
