"""The figures of `evaluate` as a model card's metric groups: numbers, verdicts, curves, bars, a matrix."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from contract.documents.evaluation import Evaluation
from training.report.card_texts import NAME, OBSERVATION, SHORT, TEXT, Document, cut, known
from training.report.facts import Facts
from training.report.page import number

MATRIX = 20
"""Rows and columns a matrix may have."""
BARS = 20
POINTS = 50


def evaluation_details(facts: Facts) -> Document:
    """Return the figures of the holdout, a group of metrics a subject."""
    evaluation = facts.evaluation
    groups = [
        _group("metrics", _metrics(evaluation)),
        _group("gates", _gates(evaluation)),
        _group("curves", _curves(evaluation)),
        _group("worst slices", _slices(evaluation)),
        *(_group(f"fairness: {name}", _fairness(evaluation, name)) for name in evaluation["fairness"]),
        _group("importance", _importance(evaluation)),
        _group("robustness", _robustness(evaluation)),
        _group("live model", _champion(evaluation)),
        _group("serving", _serving(evaluation)),
    ]
    return {
        "name": "Holdout",
        "evaluation_observation": cut(f"{facts.verdict} {evaluation['missed']}".strip(), OBSERVATION),
        "datasets": [cut(f"dataset version {facts.dataset}, {facts.tested}", TEXT)],
        "metadata": known(
            dataset_version=facts.dataset,
            code_digest=evaluation["code_digest"],
            run_uri=cut(facts.lineage.run_uri, TEXT) or None,
            execution=facts.lineage.execution or None,
        ),
        "metric_groups": [group for group in groups if group["metric_data"]],
    }


def _group(name: str, metrics: Iterable[Document]) -> Document:
    return {"name": cut(name, NAME), "metric_data": list(metrics)}


def _number(name: str, value: float | None, notes: str = "") -> list[Document]:
    """One number; nothing where it is not defined, for which a card has no word."""
    if value is None:
        return []
    return [known(name=cut(name, SHORT), type="number", value=value, notes=cut(notes, TEXT) or None)]


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"95% interval {number(low)} to {number(high)}"


def _metrics(evaluation: Evaluation) -> list[Document]:
    metrics = [
        one
        for name, interval in evaluation["metrics"].items()
        for one in _number(name, interval["value"], _interval(interval["low"], interval["high"]))
    ]
    threshold = evaluation["threshold"]
    return [*metrics, *(_number("threshold", threshold["value"], threshold["why"]) if threshold else [])]


def _gates(evaluation: Evaluation) -> list[Document]:
    return [
        {
            "name": cut(gate["gate"], SHORT),
            "type": "boolean",
            "value": gate["passed"],
            "notes": cut(gate["says"], TEXT),
        }
        for gate in evaluation["gates"]
    ]


def _curves(evaluation: Evaluation) -> list[Document]:
    curves = evaluation["curves"]
    graphs = [
        _graph(f"{title} {curve['label']}".strip(), curve["x"], curve["y"], axes)
        for title, axes, several in (
            ("ROC", ("false positive rate", "true positive rate"), curves["roc"]),
            ("precision and recall", ("recall", "precision"), curves["pr"]),
        )
        for curve in several[:BARS]
    ]
    if curves["calibration"] is not None:
        bins = curves["calibration"]["bins"]
        predicted, observed = ([one[key] for one in bins] for key in ("predicted", "observed"))
        graphs.append(_graph("calibration", predicted, observed, ("predicted", "observed")))
    confusion = curves["confusion"]
    if confusion is not None and len(confusion["classes"]) <= MATRIX:
        names = [cut(name, NAME) for name in confusion["classes"]]
        graphs.append(
            {
                "name": "confusion",
                "type": "matrix",
                "value": confusion["counts"],
                "x_axis_name": names,
                "y_axis_name": names,
                "notes": "Rows are what is true, columns what was predicted.",
            }
        )
    return [*(graph for graph in graphs if graph["value"]), *_residuals(evaluation)]


def _residuals(evaluation: Evaluation) -> list[Document]:
    """Of a regression, how many rows were missed by how much."""
    residuals = evaluation["curves"]["residuals"]
    if residuals is None:
        return []
    edges = residuals["edges"]
    names = [f"{number(low)} to {number(high)}" for low, high in pairwise(edges)]
    return [
        {
            "name": "residuals",
            "type": "bar_chart",
            "value": residuals["counts"],
            "x_axis_name": [cut(name, NAME) for name in names],
            "y_axis_name": "rows",
            "notes": "Truth minus prediction.",
        }
    ]


def _graph(name: str, x: list[float], y: list[float], axes: tuple[str, str]) -> Document:
    step = max(1, -(-len(x) // POINTS))
    points = [[round(float(a), 4), round(float(b), 4)] for a, b in zip(x, y, strict=True)]
    thinned = points[::step] if not points or points[-1] in points[::step] else [*points[::step], points[-1]]
    return {
        "name": cut(name, SHORT),
        "type": "linear_graph",
        "value": thinned,
        "x_axis_name": axes[0],
        "y_axis_name": axes[1],
    }


def _slices(evaluation: Evaluation) -> list[Document]:
    slices = evaluation["slices"]
    return [
        one
        for row in slices["worst_first"][:BARS]
        for one in _number(
            f"{slices['metric']} where {row['feature']} is {row['slice']}",
            row["value"],
            f"{row['rows']} rows, {_interval(row['low'], row['high'])}",
        )
    ]


def _fairness(evaluation: Evaluation, feature: str) -> list[Document]:
    return [
        one
        for name, interval in evaluation["fairness"][feature]["disparities"].items()
        for one in _number(name, interval["value"], _interval(interval["low"], interval["high"]))
    ]


def _importance(evaluation: Evaluation) -> list[Document]:
    measured = evaluation["importance"]["features"][:BARS]
    features = [one for one in measured if one["permutation_mean"] is not None]
    if not features:
        return []
    return [
        {
            "name": "permutation importance",
            "type": "bar_chart",
            "value": [one["permutation_mean"] for one in features],
            "x_axis_name": [cut(one["feature"], NAME) for one in features],
            "y_axis_name": cut(f"loss of {evaluation['importance']['metric']}", NAME),
        }
    ]


def _robustness(evaluation: Evaluation) -> list[Document]:
    return [
        one
        for probe in evaluation["robustness"]
        for one in _number(f"{probe['metric']}: {probe['change']}", probe["value"], probe["says"])
    ]


def _champion(evaluation: Evaluation) -> list[Document]:
    champion = evaluation["champion"]
    if champion is None:
        return []
    return [
        one
        for name, row in champion["metrics"].items()
        for one in _number(
            f"{name}: difference to {champion['model_version']}",
            row["difference"],
            _interval(row["low"], row["high"]),
        )
    ]


def _serving(evaluation: Evaluation) -> list[Document]:
    return [one for name, value in evaluation["serving"].items() for one in _number(name, float(str(value)))]
