"""Metrics of predictions, by the kind of problem.

Of a binary problem, `predictions` [n] are probabilities of the positive class and `truth`
[n] is 1 for it, else 0. Of a multiclass problem, `predictions` [n, classes] and `truth` [n]
the class codes; precision, recall, F1, ROC AUC and PR AUC are means over the classes of which
the rows tell something, and the calibration error is that of the class predicted. Of a
regression both are values [n].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from contract.gates import METRICS
from contract.threshold import DEFAULT
from metrics import formulas
from metrics.formulas import Array, Measure

Scores = dict[str, float]
_OfRows = Callable[["Rows"], Measure]

_SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, eq=False)
class Rows:
    """The predictions of some rows, and the truth. `threshold` is of binary problems.

    `repeats` are what other models predicted of the same rows: a metric is then the mean over all of them.
    """

    problem: str
    truth: Array
    predictions: Array
    threshold: float = DEFAULT
    repeats: tuple[Array, ...] = ()

    def __len__(self) -> int:
        return len(self.truth)

    def at(self, places: Array) -> Rows:
        """The rows at some places, or where a mask is true."""
        return replace(
            self,
            truth=self.truth[places],
            predictions=self.predictions[places],
            repeats=tuple(each[places] for each in self.repeats),
        )

    @cached_property
    def chosen(self) -> Array:
        """The code [n] of the class predicted."""
        binary = self.problem == "binary"
        chosen: Array = self.predictions >= self.threshold if binary else self.predictions.argmax(axis=1)
        return chosen.astype(float)

    @property
    def errors(self) -> Array:
        """Of a regression: prediction minus truth [n]."""
        errors: Array = self.predictions - self.truth
        return errors

    @property
    def codes(self) -> range:
        """The class codes of a multiclass problem."""
        return range(self.predictions.shape[1])

    def measure(self, metric: str) -> Measure:
        """One metric of these rows."""
        of_rows = _MEASURES[self.problem][metric]
        if not self.repeats:
            return of_rows(self)
        every = (self.predictions, *self.repeats)
        measures = [of_rows(replace(self, predictions=each, repeats=())) for each in every]
        return lambda weights: np.mean([measured(weights) for measured in measures], axis=0)

    def score(self, metric: str, weights: Array | None = None) -> float:
        """One metric's value; NaN where it is not defined. `weights` [n] say how often each row counts."""
        counted = np.ones(len(self)) if weights is None else weights
        return float(self.measure(metric)(counted[np.newaxis])[0])


def of_problem(problem: str, output: Array) -> Array:
    """A graph's output as the predictions that the metrics of a kind of problem take."""
    return output[:, 1] if problem == "binary" else output


def measure(problem: str, truth: Array, predictions: Array, threshold: float = DEFAULT) -> Scores:
    """Every metric of a kind of problem; NaN where it is not defined."""
    rows = Rows(problem, truth, predictions, threshold)
    return {name: rows.score(name) for name in METRICS[problem]}


def _log_loss(rows: Rows) -> Measure:
    if rows.problem == "binary":
        given = np.where(rows.truth == 1, rows.predictions, 1 - rows.predictions)
    else:
        given = rows.predictions[np.arange(len(rows)), rows.truth.astype(int)]
    return formulas.mean(-np.log(np.clip(given, _SMALLEST_PROBABILITY, 1)))


def _brier(rows: Rows) -> Measure:
    if rows.problem == "binary":
        return formulas.mean((rows.predictions - rows.truth) ** 2)
    certain = rows.truth[:, None] == np.array(rows.codes)
    return formulas.mean(np.sum((rows.predictions - certain) ** 2, axis=1))


def _ece(rows: Rows) -> Measure:
    if rows.problem == "binary":
        return formulas.calibration_error(rows.predictions, rows.truth)
    return formulas.calibration_error(rows.predictions.max(axis=1), rows.chosen == rows.truth)


def _rmse(rows: Rows) -> Measure:
    mean = formulas.mean(rows.errors**2)
    return lambda weights: np.sqrt(mean(weights))


def _error_quantile(share: float) -> _OfRows:
    return lambda rows: formulas.quantile(np.abs(rows.errors), share)


def _of_chosen(formula: Callable[[Array, Array], Measure]) -> _OfRows:
    """The mean of a formula of the truth and of what was chosen, over the classes that are or were.

    As scikit-learn does: of a class that a slice or a resample has no row of, it says nothing.
    """

    def of_class(rows: Rows, k: int) -> Measure:
        truth, chosen = (rows.truth == k).astype(float), (rows.chosen == k).astype(float)
        measured, occurs = formula(truth, chosen), formulas.mean(np.maximum(truth, chosen))
        return lambda weights: np.where(occurs(weights) > 0, measured(weights), np.nan)

    return _macro(of_class)


def _of_probability(formula: Callable[[Array, Array], Measure]) -> _OfRows:
    """The mean of a formula of the truth and of its probability, over the classes of which it is defined."""
    return _macro(lambda rows, k: formula((rows.truth == k).astype(float), rows.predictions[:, k]))


def _macro(of_class: Callable[[Rows, int], Measure]) -> _OfRows:
    def of_rows(rows: Rows) -> Measure:
        measures = [of_class(rows, k) for k in rows.codes]

        def measured(weights: Array) -> Array:
            parts = np.stack([measure(weights) for measure in measures])
            return formulas.divided(np.nansum(parts, axis=0), np.sum(~np.isnan(parts), axis=0), np.nan)

        return measured

    return of_rows


_OF_CLASSES: dict[str, _OfRows] = {
    "accuracy": lambda rows: formulas.mean(rows.chosen == rows.truth),
    "log_loss": _log_loss,
    "brier": _brier,
    "ece": _ece,
}
_MEASURES: dict[str, dict[str, _OfRows]] = {
    "binary": {
        **_OF_CLASSES,
        "precision": lambda rows: formulas.precision(rows.truth, rows.chosen),
        "recall": lambda rows: formulas.recall(rows.truth, rows.chosen),
        "f1": lambda rows: formulas.f1(rows.truth, rows.chosen),
        "roc_auc": lambda rows: formulas.roc_auc(rows.truth, rows.predictions),
        "pr_auc": lambda rows: formulas.average_precision(rows.truth, rows.predictions),
    },
    "multiclass": {
        **_OF_CLASSES,
        "precision": _of_chosen(formulas.precision),
        "recall": _of_chosen(formulas.recall),
        "f1": _of_chosen(formulas.f1),
        "roc_auc": _of_probability(formulas.roc_auc),
        "pr_auc": _of_probability(formulas.average_precision),
    },
    "regression": {
        "rmse": _rmse,
        "mae": lambda rows: formulas.mean(np.abs(rows.errors)),
        "r2": lambda rows: formulas.r2(rows.truth, rows.errors),
        "absolute_error_p50": _error_quantile(0.5),
        "absolute_error_p90": _error_quantile(0.9),
        "absolute_error_p99": _error_quantile(0.99),
    },
}
