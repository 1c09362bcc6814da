"""How much one feature alone says about the target.

A number is cut into bins of about as many rows each, or taken value by value where there are few;
a category is its values; no value is one of its own. What a bin says about the target is learned
on one half of the rows and judged on the other, and the other way round: so a feature with a value
for every row, which would explain anything by heart, explains nothing here. (The idea is that of the
predictive power score: Wetschoreck, Krabel and Krishnamurthy, 2020.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import chdtrc

Codes = NDArray[np.int64]
Array = NDArray[Any]

MOST_BINS = 100
ROWS_A_BIN = 20
FEW_VALUES = 50
COARSE_BINS = 10
COARSE_VALUES = 20
_SEED = 7


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as codes [n] from 0, fewer than `size`."""

    codes: Codes
    size: int


def number_codes(column: Array, most: int = MOST_BINS, few: int = FEW_VALUES) -> Coded:
    """A number's bins; the last is that of no value."""
    missing = np.isnan(column)
    known = column[~missing]
    values = np.unique(known)
    if len(values) > few:
        bins = int(np.clip(len(known) // ROWS_A_BIN, 2, most))
        values = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="nearest"))
    codes = np.searchsorted(values, column, side="left")
    codes[missing] = len(values) + 1
    return Coded(codes, len(values) + 2)


def category_codes(column: Array, most: int | None = None) -> Coded:
    """A category's values, or the `most` frequent of them and one code for the others."""
    encoded = pa.array(column, pa.string()).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    size = len(encoded.dictionary)
    if most is not None and size > most:
        rank = np.argsort(np.argsort(-np.bincount(codes, minlength=size), kind="stable"), kind="stable")
        codes, size = np.minimum(rank, most)[codes], most + 1
    return Coded(codes, size)


def alone(feature: Coded, target: Array, classes: int) -> float:
    """Of a feature alone, the mean of one-vs-rest ROC AUC (0.5 to 1) over classes, or R² of a regression.

    `target` [n] has the codes of `classes` classes, or values where there are none.
    """
    first = np.random.default_rng(_SEED).random(len(target)) < 0.5
    found = []
    for learn, judge in ((first, ~first), (~first, first)):
        if classes:
            found.append(_auc(feature, target, classes, learn, judge))
        else:
            found.append(_r2(feature, target, learn, judge))
    defined = [value for value in found if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _auc(feature: Coded, target: Array, classes: int, learn: Array, judge: Array) -> float:
    learned = _table(feature, target, classes, learn)
    judged = _table(feature, target, classes, judge)
    prior = learned.sum(axis=0) / max(learned.sum(), 1)
    shares = (learned + prior) / (learned.sum(axis=1, keepdims=True) + 1)
    areas = [
        ranked_area(shares[:, c], judged[:, c], judged.sum(axis=1) - judged[:, c]) for c in range(classes)
    ]
    defined = [area for area in (areas[-1:] if classes == 2 else areas) if not np.isnan(area)]
    return float(np.mean(defined)) if defined else float("nan")


def ranked_area(scores: Array, positives: Array, negatives: Array) -> float:
    """ROC AUC of groups of rows, each with one score: the chance that a positive ranks above a negative."""
    _, place = np.unique(scores, return_inverse=True)
    hits, misses = np.bincount(place, weights=positives), np.bincount(place, weights=negatives)
    pairs = hits.sum() * misses.sum()
    below = np.cumsum(misses) - misses
    return float((hits * (below + misses / 2)).sum() / pairs) if pairs else float("nan")


def _r2(feature: Coded, target: Array, learn: Array, judge: Array) -> float:
    rows = np.bincount(feature.codes[learn], minlength=feature.size)
    sums = np.bincount(feature.codes[learn], weights=target[learn], minlength=feature.size)
    if not rows.sum() or not judge.any():
        return float("nan")
    mean = sums.sum() / rows.sum()
    guess = ((sums + mean) / (rows + 1))[feature.codes[judge]]
    spread = ((target[judge] - target[judge].mean()) ** 2).sum()
    return float(1 - ((target[judge] - guess) ** 2).sum() / spread) if spread else float("nan")


def ordered_map(column: Array, target: Array, classes: int) -> float:
    """As `alone`, of a number that may only be larger or smaller: the better of the two directions.

    Of a regression Spearman's ρ squared: 1 for whatever rises or falls with the target.
    """
    known = ~np.isnan(column)
    column, target = column[known], target[known]
    if len(column) < 2:
        return float("nan")
    if not classes:
        from scipy.stats import rankdata  # Half a second, which only regressions pay.

        ranks = rankdata(column), rankdata(target)
        return float(np.corrcoef(*ranks)[0, 1] ** 2) if all(map(np.ptp, ranks)) else float("nan")
    areas = [ranked_area(column, target == c, target != c) for c in range(classes)]
    defined = [max(area, 1 - area) for area in areas if not np.isnan(area)]
    return float(np.mean(defined)) if defined else float("nan")


def independence(feature: Coded, target: Coded) -> float:
    """p-value of Pearson's χ² test: how often chance alone would relate the two as much as they are."""
    table = _table(feature, target.codes, target.size, np.ones(len(target.codes), bool))
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    if freedom < 1:
        return 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(chdtrc(freedom, ((table - expected) ** 2 / expected).sum()))


def rank_independence(column: Array, target: Array, classes: int) -> float:
    """p-value by ranks: of Kruskal and Wallis (1952) for classes, of Spearman's ρ for a regression.

    It sees what rises or falls with the target, in fewer rows than χ² does. Missing values are left out.
    """
    known = ~np.isnan(column)
    column, target = column[known], target[known]
    if len(column) < 2 or not np.ptp(column) or not np.ptp(target):
        return 1.0
    from scipy.stats import kruskal, spearmanr  # half a second, which most datasets need not pay

    if not classes:
        return float(spearmanr(column, target).pvalue)
    groups = [column[target == c] for c in range(classes)]
    return float(kruskal(*(group for group in groups if len(group))).pvalue)


def _table(feature: Coded, target: Array, classes: int, chosen: Array) -> Array:
    pairs = feature.codes[chosen] * classes + target[chosen].astype(np.int64)
    return np.bincount(pairs, minlength=feature.size * classes).reshape(feature.size, classes)
