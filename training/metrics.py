"""Metrics of predictions, with confidence intervals. Formulas are scikit-learn's, whose
functions the tests hold these against; these are written for a few hundred resamples.

Of a binary problem, `predictions` [n] are probabilities of the positive class and `truth`
[n] is 1 for it, else 0. Of a multiclass problem, `predictions` [n, classes] and `truth` [n]
the class codes; `precision`, `recall`, `f1` and `roc_auc` are means over the classes.
Of a regression both are values [n].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from contract.gates import METRICS

Array = NDArray[Any]
Scores = dict[str, float]

RESAMPLES = 300
CONFIDENCE = 0.95
_SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)


class Interval(TypedDict):
    """A metric on the holdout, and the bounds between which resamples put it 95 times in 100."""

    value: float | None
    low: float | None
    high: float | None


def of_problem(problem: str, output: Array) -> Array:
    """A graph's output as the predictions that the metrics of a kind of problem take."""
    return output[:, 1] if problem == "binary" else output


def measure(problem: str, truth: Array, predictions: Array) -> Scores:
    """Every metric of a kind of problem; NaN where it is not defined."""
    scores = _MEASURES[problem](truth, predictions)
    return {name: float(scores[name]) for name in METRICS[problem]}


def with_intervals(problem: str, truth: Array, predictions: Array, seed: int) -> dict[str, Interval]:
    """Every metric with its percentile bootstrap interval (Efron and Tibshirani, 1993, ch. 13).

    None stands for a value that is not defined.
    """
    random = np.random.default_rng(seed)
    rows = len(truth)
    draws = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, rows, rows)
        draws.append(measure(problem, truth[drawn], predictions[drawn]))
    tail = (1 - CONFIDENCE) / 2
    result: dict[str, Interval] = {}
    for name, value in measure(problem, truth, predictions).items():
        defined = [draw[name] for draw in draws if not math.isnan(draw[name])]
        low, high = np.quantile(defined, [tail, 1 - tail]).tolist() if defined else (None, None)
        result[name] = {"value": None if math.isnan(value) else value, "low": low, "high": high}
    return result


def _binary(truth: Array, probability: Array) -> Scores:
    positive = probability >= 0.5
    hits = float(np.sum(truth[positive]))
    clipped = np.clip(probability, _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    return {
        "accuracy": float(np.mean(positive == truth)),
        **_precision_recall(hits, float(positive.sum()), float(truth.sum())),
        "roc_auc": _roc_auc(truth, probability),
        "pr_auc": _average_precision(truth, probability),
        "log_loss": -float(np.mean(np.where(truth == 1, np.log(clipped), np.log1p(-clipped)))),
        "brier": float(np.mean((probability - truth) ** 2)),
    }


def _multiclass(truth: Array, probabilities: Array) -> Scores:
    classes = range(probabilities.shape[1])
    chosen = probabilities.argmax(axis=1)
    parts = [
        _precision_recall(
            float(np.sum((chosen == k) & (truth == k))), float(np.sum(chosen == k)), float(np.sum(truth == k))
        )
        for k in classes
    ]
    areas = [_roc_auc(truth == k, probabilities[:, k]) for k in classes]
    given = np.clip(probabilities[np.arange(len(truth)), truth.astype(int)], _SMALLEST_PROBABILITY, 1)
    return {
        "accuracy": float(np.mean(chosen == truth)),
        **{name: float(np.mean([part[name] for part in parts])) for name in parts[0]},
        "roc_auc": float(np.mean(areas)),
        "log_loss": -float(np.mean(np.log(given))),
    }


def _regression(truth: Array, values: Array) -> Scores:
    errors = values - truth
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return {
        "rmse": math.sqrt(np.mean(errors**2)),
        "mae": float(np.mean(np.abs(errors))),
        "r2": 1 - float(np.sum(errors**2)) / spread if spread else math.nan,
    }


def _precision_recall(hits: float, chosen: float, relevant: float) -> Scores:
    """Zero where undefined, as a class that is never chosen deserves."""
    return {
        "precision": hits / chosen if chosen else 0.0,
        "recall": hits / relevant if relevant else 0.0,
        "f1": 2 * hits / (chosen + relevant) if chosen + relevant else 0.0,
    }


def _roc_auc(truth: Array, scores: Array) -> float:
    """Share of pairs of a positive and a negative that the scores put in order; ties count half.

    By the sum of the positives' ranks (Mann and Whitney, 1947).
    """
    positives = float(np.sum(truth))
    negatives = len(truth) - positives
    if not positives or not negatives:
        return math.nan
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return (float(np.sum(ranks[places] * truth)) - positives * (positives + 1) / 2) / (positives * negatives)


def _average_precision(truth: Array, scores: Array) -> float:
    """Mean of the precision at each distinct score, weighted by the recall it adds."""
    positives = float(np.sum(truth))
    if not positives:
        return math.nan
    _, places, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    hits = np.bincount(places, weights=truth)
    return float(np.sum(hits * np.cumsum(hits) / np.cumsum(counts)) / positives)


_MEASURES: dict[str, Callable[[Array, Array], Scores]] = {
    "binary": _binary,
    "multiclass": _multiclass,
    "regression": _regression,
}
