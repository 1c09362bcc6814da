"""What is plotted of predictions: at most `POINTS` points a curve, so that documents stay small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contract.documents.evaluation import (
    Calibration,
    CalibrationBin,
    Confusion,
    Curve,
    Curves,
    Interval,
    Residuals,
    ThresholdPoint,
)
from metrics import formulas
from metrics.bootstrap import CONFIDENCE, defined
from metrics.formulas import Array
from metrics.problem_metrics import Rows

POINTS = 200
HISTOGRAM_BINS = 30
_DEFINITION = {
    "binary": "the mean over the rows of |mean predicted probability - share of positives| "
    f"in their bin, of {formulas.BINS} bins of equal width",
    "multiclass": "the mean over the rows of |mean probability of the class predicted - share "
    f"predicted right| in their bin, of {formulas.BINS} bins of equal width",
}
_Z = 1.959963984540054
assert CONFIDENCE == 0.95, "the normal quantile above is that of 95 %"


def draw(rows: Rows, classes: Sequence[str], metrics: Mapping[str, Interval]) -> Curves:
    """Every curve of a kind of problem."""
    if rows.problem == "regression":
        return {
            "roc": [],
            "pr": [],
            "calibration": None,
            "thresholds": [],
            "confusion": None,
            "residuals": _residuals(rows),
        }
    binary = rows.problem == "binary"
    scored = (
        [(classes[1], rows.truth, rows.predictions)]
        if binary
        else [
            (label, (rows.truth == k).astype(float), rows.predictions[:, k])
            for k, label in enumerate(classes)
        ]
    )
    return {
        "roc": [roc(*one) for one in scored],
        "pr": [precision_recall(*one) for one in scored],
        "calibration": _calibration(rows, metrics["ece"]),
        "thresholds": _thresholds(rows) if binary else [],
        "confusion": _confusion(rows, classes),
        "residuals": None,
    }


def roc(label: str, truth: Array, scores: Array) -> Curve:
    """True positive rate by false positive rate, at each distinct score."""
    hits, chosen = _counts(truth, scores)
    positives, negatives = max(1.0, truth.sum()), max(1.0, len(truth) - truth.sum())
    x, y = np.append(0, (chosen - hits) / negatives), np.append(0, hits / positives)
    return _curve(label, x, y, float(formulas.roc_auc(truth, scores)(np.ones((1, len(truth))))[0]))


def precision_recall(label: str, truth: Array, scores: Array) -> Curve:
    """Precision by recall, at each distinct score."""
    hits, chosen = _counts(truth, scores)
    x, y = hits / max(1.0, truth.sum()), hits / chosen
    return _curve(label, x, y, float(formulas.average_precision(truth, scores)(np.ones((1, len(truth))))[0]))


def _counts(truth: Array, scores: Array) -> tuple[Array, Array]:
    """How many positives, and how many rows, each distinct score and all above it choose."""
    _, places, rows = np.unique(-scores, return_inverse=True, return_counts=True)
    return np.cumsum(np.bincount(places, weights=truth)), np.cumsum(rows)


def _curve(label: str, x: Array, y: Array, area: float) -> Curve:
    kept = _spread(x, y)
    return {"label": label, "x": _short(x[kept]), "y": _short(y[kept]), "area": defined(area)}


def _spread(x: Array, y: Array) -> Array:
    """Places of at most `POINTS` points, evenly far from each other along the curve."""
    if len(x) <= POINTS:
        return np.arange(len(x))
    length = np.append(0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    return np.unique(np.searchsorted(length, np.linspace(0, length[-1], POINTS)).clip(0, len(x) - 1))


def _calibration(rows: Rows, ece: Interval) -> Calibration:
    binary = rows.problem == "binary"
    confidence = rows.predictions if binary else rows.predictions.max(axis=1)
    correct = rows.truth if binary else (rows.chosen == rows.truth).astype(float)
    places = formulas.bins(confidence)
    bins = [_bin(k, confidence[places == k], correct[places == k]) for k in np.unique(places).tolist()]
    return {"ece": ece, "definition": _DEFINITION[rows.problem], "bins": bins}


def _bin(k: int, confidence: Array, correct: Array) -> CalibrationBin:
    """One bin, with Wilson's interval of the share observed (Wilson, 1927)."""
    n, share = len(correct), float(correct.mean())
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * float(np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)))
    return {
        "low": k / formulas.BINS,
        "high": (k + 1) / formulas.BINS,
        "rows": n,
        "predicted": float(confidence.mean()),
        "observed": share,
        "observed_low": max(0.0, middle - half),
        "observed_high": min(1.0, middle + half),
    }


def _thresholds(rows: Rows) -> list[ThresholdPoint]:
    points: list[ThresholdPoint] = []
    for threshold in np.linspace(0, 1, 101)[1:-1].round(2).tolist():
        there = Rows(rows.problem, rows.truth, rows.predictions, threshold)
        points.append(
            {
                "threshold": threshold,
                "precision": there.score("precision"),
                "recall": there.score("recall"),
                "f1": there.score("f1"),
                "selection_rate": float(there.chosen.mean()),
            }
        )
    return points


def _confusion(rows: Rows, classes: Sequence[str]) -> Confusion:
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (rows.truth.astype(int), rows.chosen.astype(int)), 1)
    return {"classes": list(classes), "counts": counts.tolist()}


def _residuals(rows: Rows) -> Residuals:
    residual = -rows.errors
    order = np.argsort(rows.predictions, kind="stable")
    some = order[np.unique(np.linspace(0, len(order) - 1, POINTS).round().astype(int))]
    counts, edges = np.histogram(residual, HISTOGRAM_BINS)
    return {
        "predicted": _short(rows.predictions[some]),
        "residual": _short(residual[some]),
        "edges": _short(edges),
        "counts": counts.tolist(),
    }


def _short(values: Array) -> list[float]:
    """Six digits, which is more than a plot shows."""
    return [float(f"{value:.6g}") for value in values.tolist()]
