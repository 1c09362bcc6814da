"""Whether the features, as they enter a model, have anything to do with the target.

Shuffled labels look like any others: only their relation to the features is lost. Each feature, and
each part of a date, is tested on its own by Pearson's χ² and then by its ranks (Bonferroni's
correction makes one test of all). Where neither finds anything, a quick boosted model of at most
`MODEL_ROWS` rows looks for what features say together. It is fitted on the very matrix that an
estimator of this contract would be: vocabularies, parts of dates, words, the model's own features. How
it ranks the rows it was not shown is tested against chance. (Those are one part, not folds in turn:
answers of models that share rows depend on each other, and seem related too often.)
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from container.errors import ModelCodeError
from contract.schema import Contract
from tabular.samples import Samples
from training.evaluation.slices import sampled
from training.validation.univariate import (
    COARSE_BINS,
    COARSE_VALUES,
    Array,
    category_codes,
    independence,
    number_codes,
    rank_independence,
)

if TYPE_CHECKING:
    from training.validation.evidence import Evidence

MODEL_ROWS = 5_000
FEWEST_ROWS = 20
"""With fewer there is no model: some to learn from, others to ask about."""
LEARNED = 0.6
"""Share of the rows that the model is fitted to."""
TREES = 50
TESTS = 3
"""By χ², by ranks, by a model: the least p of so many is worth that much less."""
_SEED = 7

log = logging.getLogger(__name__)


def relation(evidence: Evidence) -> float:
    """The probability, 0 to 1, that features and target without any relation seem as related as these."""
    limit = evidence.contract.validation["signal"].limit or 0.0
    columns = list(_columns(evidence))
    found = 1.0
    for test in (_by_bins, _by_ranks):
        each = min((test(evidence, column) for column in columns), default=1.0)
        found = min(found, TESTS * len(columns) * each)
        if found <= limit:
            return found
    return min(found, TESTS * _together(evidence))


def tests(evidence: Evidence) -> int:
    """Among how many columns the least p is looked for."""
    return max(1, len(_columns(evidence)))


def _columns(evidence: Evidence) -> Sequence[Array]:
    """Every feature's values [n], and every part of a date."""
    values = [column.values for column in evidence.columns.values()]
    return [*values, *_date_parts(evidence.contract, evidence.sample)]


def _date_parts(contract: Contract, rows: Samples) -> Sequence[Array]:
    if not any(feature.type == "datetime" for feature in contract.numeric):
        return []
    from training.features.derived import date_parts

    return list(date_parts(contract, rows.numbers, rows.texts).T)


def _by_bins(evidence: Evidence, column: Array) -> float:
    if column.dtype == object:
        coded = category_codes(column, most=COARSE_VALUES)
    else:
        coded = number_codes(column.astype(np.float64), most=COARSE_BINS, few=COARSE_VALUES)
    return independence(coded, evidence.coded)


def _by_ranks(evidence: Evidence, column: Array) -> float:
    if column.dtype == object:
        return 1.0
    return rank_independence(column.astype(np.float64), evidence.target, len(evidence.classes))


def _together(evidence: Evidence) -> float:
    """Of a model's answers about rows it has not seen: p of how they rank them, the least of all classes."""
    if len(evidence.sample) < FEWEST_ROWS:
        return 1.0
    chosen = sampled(len(evidence.sample), MODEL_ROWS, _SEED)
    target = evidence.target[chosen]
    learned = np.random.default_rng(_SEED).permutation(len(target)) < LEARNED * len(target)
    if evidence.classes and len(np.unique(target[learned])) < 2:
        return 1.0
    matrix = _fitted_on(evidence.contract, evidence.sample.where(chosen), target, learned)
    matrix = matrix[:, [len(np.unique(column[~np.isnan(column)])) > 1 for column in matrix[learned].T]]
    if not matrix.shape[1]:
        return 1.0
    if not evidence.classes:
        model = _model(regression=True).fit(matrix[learned], target[learned])
        return _ranked(model.predict(matrix[~learned]), target[~learned])
    model = _model(regression=False).fit(matrix[learned], target[learned])
    shares = model.predict_proba(matrix[~learned])
    tested = list(enumerate(model.classes_))[1 if len(model.classes_) == 2 else 0 :]
    return float(min(1.0, len(tested) * min(_ranked(shares[:, i], target[~learned] == k) for i, k in tested)))


def _fitted_on(contract: Contract, rows: Samples, target: Array, learned: Array) -> Array:
    """Rows as the matrix [n, k] of an estimator, by what those `learned` from have."""
    # With it come scikit-learn and the runtime, which take seconds; most datasets show a relation without.
    from training.features import estimator_input
    from training.features.derived import learn

    some, codes = rows.where(learned), target[learned]
    encoder = estimator_input.fit_encoder(some, codes, contract)
    base, columns = estimator_input.base(some, encoder), estimator_input.base_columns(contract, encoder)
    try:
        derived = learn(contract, columns, some, base, codes)
    except ModelCodeError as error:
        log.warning("looked for a relation without the model's own features: %s", error)
        without = replace(contract, training=replace(contract.training, features=None))
        derived = learn(without, columns, some, base, codes)
    return derived.matrix(estimator_input.base(rows, encoder), rows.texts).astype(np.float64)


def _ranked(predicted: Array, truth: Array) -> float:
    """p of how predictions [n] rank values [n], or what is true above what is not; 1 if they are alike."""
    if not np.ptp(predicted) or len(set(truth.tolist())) < 2:
        return 1.0
    from scipy.stats import mannwhitneyu, spearmanr

    if truth.dtype == bool:
        return float(mannwhitneyu(predicted[truth], predicted[~truth], alternative="greater").pvalue)
    return float(spearmanr(predicted, truth, alternative="greater").pvalue)


def _model(*, regression: bool) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return kind(max_iter=TREES, max_leaf_nodes=15, early_stopping=False, random_state=_SEED)
