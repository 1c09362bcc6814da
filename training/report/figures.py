"""The plots of an evaluation, each with a sentence on how to read it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from contract.documents.evaluation import Calibration, Confusion, Curve, Evaluation, Importances, Residuals
from training.report.page import number
from training.report.plots import charts
from training.report.plots.charts import Series

if TYPE_CHECKING:
    from markupsafe import Markup

Figures = list[tuple["Markup", str]]

CLASSES_DRAWN = 6
"""Curves in one frame; of more classes, those with the smallest area are drawn."""
FEATURES_DRAWN = 15


def curves(evaluation: Evaluation) -> Figures:
    """ROC, precision and recall, calibration, confusion; of a regression its residuals."""
    curves = evaluation["curves"]
    figures: Figures = []
    if curves["roc"]:
        figures.append(_roc(curves["roc"]))
    if curves["pr"]:
        figures.append(_precision_recall(curves["pr"]))
    if curves["calibration"] is not None:
        figures.append(_calibration(curves["calibration"]))
    if curves["confusion"] is not None:
        figures.append(_confusion(curves["confusion"]))
    if curves["residuals"] is not None:
        figures += _residuals(curves["residuals"])
    return figures


def thresholds(evaluation: Evaluation) -> Figures:
    """The metrics at other thresholds."""
    points = evaluation["curves"]["thresholds"]
    if not points:
        return []
    at = [point["threshold"] for point in points]
    some = [point for point in points if point["selection_rate"]]  # of no row there is no precision
    series = [
        Series(
            label="precision",
            x=[point["threshold"] for point in some],
            y=[point["precision"] for point in some],
        ),
        Series(label="recall", x=at, y=[point["recall"] for point in points]),
        Series(label="F1", x=at, y=[point["f1"] for point in points]),
        Series(label="share predicted positive", x=at, y=[point["selection_rate"] for point in points]),
    ]
    level = evaluation["threshold"]["value"] if evaluation["threshold"] else None
    svg = charts.lines("Thresholds", series, x="threshold", y="value on the holdout", mark=level)
    return [
        (svg, "What precision and recall would be at another threshold; the dashed line is the one used.")
    ]


def importances(importances: Importances) -> Figures:
    """Permutation importance, where the metric is defined, and SHAP values, the greatest first."""
    by_shap = sorted(importances["features"], key=lambda one: -one["shap_mean_abs"])[:FEATURES_DRAWN]
    return [
        *_shuffled(importances),
        (
            charts.bars(
                "SHAP values",
                [one["feature"] for one in by_shap],
                [one["shap_mean_abs"] for one in by_shap],
                x="mean absolute SHAP value",
            ),
            "How far a feature moves the prediction from the average, on average over "
            f"{importances['shap_rows']:,} rows, "
            f"against {importances['shap_background_rows']:,} background rows.",
        ),
    ]


def trials(values: Sequence[float], metric: str, *, higher_is_better: bool) -> Figures:
    """The metric of each trial, in the order they began, and the best until then."""
    best = list(accumulate(values, max if higher_is_better else min))
    svg = charts.trials("Trials", values, best, y=metric)
    return [(svg, "Each trial's value of what the search improves, and the best until then.")]


def _shuffled(importances: Importances) -> Figures:
    known = [
        (one["feature"], one["permutation_mean"], one["permutation_std"] or 0.0)
        for one in importances["features"][:FEATURES_DRAWN]
        if one["permutation_mean"] is not None
    ]
    if not known:
        return []
    svg = charts.bars(
        "Permutation importance",
        [feature for feature, _, _ in known],
        [mean for _, mean, _ in known],
        x=f"how much {importances['metric']} worsens",
        lows=[mean - std for _, mean, std in known],
        highs=[mean + std for _, mean, std in known],
    )
    return [
        (
            svg,
            f"How much {importances['metric']} worsens when a feature's values are shuffled "
            f"({importances['permutation_rows']:,} rows, {importances['repeats']} repeats); "
            "the line is one standard deviation each way. "
            "Of features that say the same, each looks less important than it is.",
        )
    ]


def _named(curve: Curve) -> str:
    area = f"area {number(curve['area'])}"
    return f"{curve['label']} ({area})" if curve["label"] else area


def _worst(curves: list[Curve]) -> list[Curve]:
    if len(curves) <= CLASSES_DRAWN:
        return curves
    return sorted(curves, key=lambda curve: curve["area"] if curve["area"] is not None else 0.0)[
        :CLASSES_DRAWN
    ]


def _series(curves: list[Curve]) -> list[Series]:
    return [Series(label=_named(curve), x=curve["x"], y=curve["y"]) for curve in _worst(curves)]


def _roc(curves: list[Curve]) -> tuple[Markup, str]:
    svg = charts.lines(
        "ROC", _series(curves), x="false positive rate", y="true positive rate", diagonal=True, legend=True
    )
    return svg, "The nearer to the upper left corner, the better; on the dashed line is who guesses."


def _precision_recall(curves: list[Curve]) -> tuple[Markup, str]:
    svg = charts.lines("Precision and recall", _series(curves), x="recall", y="precision", legend=True)
    return svg, "How much precision is left when more of the positives are to be found."


def _calibration(calibration: Calibration) -> tuple[Markup, str]:
    bins = calibration["bins"]
    svg = charts.calibration(
        "Calibration",
        [one["predicted"] for one in bins],
        [one["observed"] for one in bins],
        [one["observed_low"] for one in bins],
        [one["observed_high"] for one in bins],
    )
    ece = calibration["ece"]
    return svg, (
        f"On the dashed line a probability means what it says. Expected calibration error "
        f"{number(ece['value'])} ({number(ece['low'])} to {number(ece['high'])}): "
        f"{calibration['definition']}."
    )


def _confusion(confusion: Confusion) -> tuple[Markup, str]:
    svg = charts.matrix("Confusion", confusion["classes"], confusion["counts"], x="predicted", y="true")
    return (
        svg,
        "Rows of the holdout by what they are and what was predicted; darker is a larger share of a row.",
    )


def _residuals(residuals: Residuals) -> Figures:
    spread = charts.points(
        "Residuals",
        [Series(label="rows", x=residuals["predicted"], y=residuals["residual"])],
        x="prediction",
        y="truth minus prediction",
        level=0,
    )
    counts = charts.histogram(
        "Spread of the residuals",
        residuals["edges"],
        [("rows", residuals["counts"])],
        x="truth minus prediction",
        y="rows",
    )
    return [
        (
            spread,
            f"{len(residuals['predicted']):,} rows. "
            "A shape, such as a curve or a funnel, is a pattern missed.",
        ),
        (counts, "Centred on zero and even to both sides is what a good fit looks like."),
    ]
