"""Whether the features have anything to do with the target.

Shuffled labels look like any others: only their relation to the features is lost. Each feature is
tested on its own by Pearson's χ² (Bonferroni's correction makes one test of all). Where that
finds nothing, a quick boosted model of at most `MODEL_ROWS` rows looks for what features say
together; how it ranks the rows it was not shown is tested against chance. (Those are one part, not
folds in turn: answers of models that share rows depend on each other, and seem related too often.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

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
)

if TYPE_CHECKING:
    from training.validation.evidence import Column, Evidence

MODEL_ROWS = 5_000
FEWEST_ROWS = 20
"""With fewer there is no model: some to learn from, others to ask about."""
LEARNED = 0.6
"""Share of the rows that the model is fitted to."""
TREES = 50
MOST_CATEGORIES = 100
MOST_WORDS = 50
_SEED = 7


def relation(evidence: Evidence) -> float:
    """The probability, 0 to 1, that features and target without any relation seem as related as these."""
    alone = min(1.0, len(evidence.columns) * min(_by_itself(evidence, c) for c in evidence.columns.values()))
    limit = evidence.contract.validation["signal"].limit or 0.0
    if 2 * alone <= limit:  # Twice, for there are two tests.
        return 2 * alone
    return min(1.0, 2 * alone, 2 * _together(evidence))


def _by_itself(evidence: Evidence, column: Column) -> float:
    if column.values.dtype == object:
        coded = category_codes(column.values, most=COARSE_VALUES)
    else:
        coded = number_codes(column.values.astype(np.float64), most=COARSE_BINS, few=COARSE_VALUES)
    return independence(coded, evidence.coded)


def _together(evidence: Evidence) -> float:
    """Of a model's answers about rows it has not seen: p of how they rank them, the least of all classes."""
    if len(evidence.sample) < FEWEST_ROWS:
        return 1.0
    chosen = sampled(len(evidence.sample), MODEL_ROWS, _SEED)
    target = evidence.target[chosen]
    learned = np.random.default_rng(_SEED).permutation(len(target)) < LEARNED * len(target)
    columns = [_codes(column)[chosen] for column in evidence.columns.values()]
    rows = evidence.sample.where(chosen)
    matrix = np.column_stack([*columns, *_words(evidence.contract, rows, target, learned)])
    matrix = matrix[:, [len(np.unique(column[~np.isnan(column)])) > 1 for column in matrix[learned].T]]
    if not matrix.shape[1]:
        return 1.0
    if not evidence.classes:
        model = _model(regression=True).fit(matrix[learned], target[learned])
        return _ranked(model.predict(matrix[~learned]), target[~learned])
    if len(np.unique(target[learned])) < 2:
        return 1.0
    model = _model(regression=False).fit(matrix[learned], target[learned])
    shares = model.predict_proba(matrix[~learned])
    tested = list(enumerate(model.classes_))[1 if len(model.classes_) == 2 else 0 :]
    return float(min(1.0, len(tested) * min(_ranked(shares[:, i], target[~learned] == k) for i, k in tested)))


def _ranked(predicted: Array, truth: Array) -> float:
    """p of how predictions [n] rank values [n], or what is true above what is not; 1 if they are alike."""
    if not np.ptp(predicted) or len(set(truth.tolist())) < 2:
        return 1.0
    from scipy.stats import mannwhitneyu, spearmanr

    if truth.dtype == bool:
        return float(mannwhitneyu(predicted[truth], predicted[~truth], alternative="greater").pvalue)
    return float(spearmanr(predicted, truth, alternative="greater").pvalue)


def _codes(column: Column) -> Array:
    if column.values.dtype == object:
        return category_codes(column.values, most=MOST_CATEGORIES).codes.astype(np.float64)
    return column.values.astype(np.float64)


def _words(contract: Contract, rows: Samples, target: Array, learned: Array) -> Iterator[Array]:
    """Whether the words that tell most in the rows learned from occur in each text [n, words]."""
    if not contract.textual:
        return
    # With it comes scikit-learn, which takes seconds; most datasets show a relation without it.
    from training.features import tfidf as words

    found = words.learn(rows.where(learned), target[learned], contract)
    for column, (known, _) in zip(rows.texts.T, found, strict=True):
        yield words.occurrences(column, known[:MOST_WORDS])


def _model(*, regression: bool) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return kind(max_iter=TREES, max_leaf_nodes=15, early_stopping=False, random_state=_SEED)
