"""A run as the content of a SageMaker model card.

It follows the schema of a model package's card, the stricter of SageMaker's two:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema.
Whatever is too long for it is cut; evaluation.json and report.html have it whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from training.evaluation.document import Evaluation
from training.report.facts import Facts
from training.report.page import number

MAX_CHARACTERS = 100_000
"""SageMaker's limit on a card's content, which must be one line."""
NAME, SHORT, TEXT, LONG, OBSERVATION = 63, 255, 1024, 2048, 2096
"""SageMaker's limits on texts, in characters."""
MATRIX = 20
"""Rows and columns a matrix may have."""
BARS = 20
POINTS = 50

Document = dict[str, Any]


def card(facts: Facts) -> Document:
    """The card's content."""
    contract, lineage = facts.contract, facts.lineage
    return {
        "model_overview": _known(
            model_creator="Millrace", model_artifact=[lineage.model_uri] if lineage.model_uri else None
        ),
        "intended_uses": {
            "purpose_of_model": _cut(contract.description or f"Predict {contract.target.name}.", LONG),
            "intended_uses": _cut(_uses(facts), LONG),
            "factors_affecting_model_efficiency": _cut(_weakest(facts.evaluation), LONG),
            "risk_rating": "Unknown",
            "explanations_for_risk_rating": "Not assessed: whoever approves the version rates its risk.",
        },
        "training_details": _training(facts),
        "evaluation_details": [_evaluation(facts)],
        "additional_information": _additional(facts),
    }


def to_json(content: Mapping[str, Any]) -> str:
    """A card's content as SageMaker takes it: on one line.

    Raises:
        ValueError: it is too long. `card` cuts what could make it so.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"a model card has at most {MAX_CHARACTERS} characters; this one has {len(text)}")
    return text


def _uses(facts: Facts) -> str:
    contract = facts.contract
    what = f"{contract.problem} prediction of {contract.target.name} from {len(contract.features)} features"
    return f"{what}: {', '.join(contract.feature_names)}"


def _weakest(evaluation: Evaluation) -> str:
    slices = evaluation["slices"]
    worst = slices["worst_first"][:5]
    if not worst:
        return "No slice of the holdout had enough rows to be measured on its own."
    listed = "; ".join(f"{one['feature']} {one['slice']}: {number(one['value'])}" for one in worst)
    return f"{slices['metric']} is worst where: {listed}"


def _training(facts: Facts) -> Document:
    training = facts.contract.training
    parameters = facts.model.get("parameters", training.parameters)
    rows = facts.model["rows"]
    return {
        "training_observations": _cut(
            f"{training.estimator} on {rows['train']:,} rows, {len(facts.trials) or 1} trials, "
            f"seed {training.seed}.",
            TEXT,
        ),
        "training_job_details": _known(
            training_datasets=[_cut(f"dataset version {facts.dataset}", TEXT)],
            training_environment={"container_image": [_cut(facts.lineage.image, TEXT)]}
            if facts.lineage.image
            else None,
            user_provided_hyper_parameters=[
                {"name": _cut(name, SHORT), "value": _cut(str(value) or "none", SHORT)}
                for name, value in sorted(parameters.items())[:100]
            ],
        ),
    }


def _evaluation(facts: Facts) -> Document:
    found = facts.evaluation
    groups = [
        _group("metrics", _metrics(found)),
        _group("gates", _gates(found)),
        _group("curves", _curves(found)),
        _group("worst slices", _slices(found)),
        *(_group(f"fairness: {name}", _fairness(found, name)) for name in found["fairness"]),
        _group("importance", _importance(found)),
        _group("live model", _champion(found)),
        _group("serving", _serving(found)),
    ]
    return {
        "name": "Holdout",
        "evaluation_observation": _cut(f"{facts.verdict} {found['missed']}".strip(), OBSERVATION),
        "datasets": [_cut(f"dataset version {facts.dataset}, {found['rows']:,} rows held out", TEXT)],
        "metadata": _known(
            dataset_version=facts.dataset,
            code_digest=found["code_digest"],
            run_uri=_cut(facts.lineage.run_uri, TEXT) or None,
            execution=facts.lineage.execution or None,
        ),
        "metric_groups": [group for group in groups if group["metric_data"]],
    }


def _group(name: str, metrics: Iterable[Document]) -> Document:
    return {"name": _cut(name, NAME), "metric_data": list(metrics)}


def _number(name: str, value: float | None, notes: str = "") -> list[Document]:
    """One number; nothing where it is not defined, for which a card has no word."""
    if value is None:
        return []
    return [_known(name=_cut(name, SHORT), type="number", value=value, notes=_cut(notes, TEXT) or None)]


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"95% interval {number(low)} to {number(high)}"


def _metrics(found: Evaluation) -> list[Document]:
    metrics = [
        one
        for name, interval in found["metrics"].items()
        for one in _number(name, interval["value"], _interval(interval["low"], interval["high"]))
    ]
    threshold = found["threshold"]
    return [*metrics, *(_number("threshold", threshold["value"], threshold["why"]) if threshold else [])]


def _gates(found: Evaluation) -> list[Document]:
    return [
        {
            "name": _cut(gate["gate"], SHORT),
            "type": "boolean",
            "value": gate["passed"],
            "notes": _cut(gate["says"], TEXT),
        }
        for gate in found["gates"]
    ]


def _curves(found: Evaluation) -> list[Document]:
    curves = found["curves"]
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
        names = [_cut(name, NAME) for name in confusion["classes"]]
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
    return [graph for graph in graphs if graph["value"]]


def _graph(name: str, x: list[float], y: list[float], axes: tuple[str, str]) -> Document:
    step = max(1, -(-len(x) // POINTS))
    points = [[round(float(a), 4), round(float(b), 4)] for a, b in zip(x, y, strict=True)]
    thinned = points[::step] if not points or points[-1] in points[::step] else [*points[::step], points[-1]]
    return {
        "name": _cut(name, SHORT),
        "type": "linear_graph",
        "value": thinned,
        "x_axis_name": axes[0],
        "y_axis_name": axes[1],
    }


def _slices(found: Evaluation) -> list[Document]:
    slices = found["slices"]
    return [
        one
        for row in slices["worst_first"][:BARS]
        for one in _number(
            f"{slices['metric']} where {row['feature']} is {row['slice']}",
            row["value"],
            f"{row['rows']} rows, {_interval(row['low'], row['high'])}",
        )
    ]


def _fairness(found: Evaluation, feature: str) -> list[Document]:
    return [
        one
        for name, interval in found["fairness"][feature]["disparities"].items()
        for one in _number(name, interval["value"], _interval(interval["low"], interval["high"]))
    ]


def _importance(found: Evaluation) -> list[Document]:
    features = found["importance"]["features"][:BARS]
    if not features:
        return []
    return [
        {
            "name": "permutation importance",
            "type": "bar_chart",
            "value": [one["permutation_mean"] for one in features],
            "x_axis_name": [_cut(one["feature"], NAME) for one in features],
            "y_axis_name": _cut(f"loss of {found['importance']['metric']}", NAME),
        }
    ]


def _champion(found: Evaluation) -> list[Document]:
    champion = found["champion"]
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


def _serving(found: Evaluation) -> list[Document]:
    return [one for name, value in found["serving"].items() for one in _number(name, float(str(value)))]


def _additional(facts: Facts) -> Document:
    sensitive = ", ".join(facts.contract.sensitive)
    compared = (
        f"Outcomes are compared between the groups of: {sensitive}."
        if sensitive
        else "No sensitive features are named in model.toml, so no groups were compared."
    )
    libraries = ", ".join(f"{name} {version}" for name, version in facts.model["libraries"].items())
    run = facts.lineage.run_uri
    return {
        "ethical_considerations": _cut(compared, LONG),
        "caveats_and_recommendations": _cut(_caveats(facts), LONG),
        "custom_details": _known(
            model=facts.contract.model,
            algorithm=_cut(facts.contract.training.estimator, TEXT),
            problem=facts.contract.problem,
            libraries=_cut(libraries, TEXT),
            report=_cut(f"{run}/evaluate/evaluation/report.html", TEXT) if run else None,
        ),
    }


def _caveats(facts: Facts) -> str:
    told = "Measured on rows held out of the same dataset: they say nothing of data that changes afterwards."
    if facts.validation is None:
        return told
    problems = facts.validation["problems"]
    warned = " ".join(f"{one['check']}: {one['sentence']}" for one in problems)
    return f"{told} Validation of the data " + (
        f"warned: {warned}" if warned else "had nothing to object to."
    )


def _known(**members: Any) -> Document:
    return {name: value for name, value in members.items() if value is not None}


def _cut(text: str, characters: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1] + "…"
