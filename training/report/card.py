"""A run as the content of a SageMaker model card.

It follows the schema of a model package's card, the stricter of SageMaker's two:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-details.html#model-card-schema.
Whatever is too long for it is cut; evaluation.json and report.html have it whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from contract.documents.evaluation import Evaluation
from contract.layout import EVALUATION_PLACE
from contract.names.jobs import REPORT_PAGE
from training.report.card_measures import evaluation_details
from training.report.card_texts import LONG, SHORT, TEXT, Document, cut, known
from training.report.facts import Facts
from training.report.page import number

MAX_CHARACTERS = 100_000
"""SageMaker's limit on a card's content, which must be one line."""


def card(facts: Facts) -> Document:
    """The card's content."""
    contract, lineage = facts.contract, facts.lineage
    return {
        "model_overview": known(
            model_creator="Millrace", model_artifact=[lineage.model_uri] if lineage.model_uri else None
        ),
        "intended_uses": {
            "purpose_of_model": cut(contract.description or f"Predict {contract.target.name}.", LONG),
            "intended_uses": cut(_uses(facts), LONG),
            "factors_affecting_model_efficiency": cut(_weakest(facts.evaluation), LONG),
            "risk_rating": "Unknown",
            "explanations_for_risk_rating": "Not assessed: whoever approves the version rates its risk.",
        },
        "training_details": _training(facts),
        "evaluation_details": [evaluation_details(facts)],
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
        "training_observations": cut(
            f"{training.estimator} on {rows['train']:,} rows, {len(facts.trials) or 1} trials, "
            f"seed {training.seed}.",
            TEXT,
        ),
        "training_job_details": known(
            training_datasets=[cut(f"dataset version {facts.dataset}", TEXT)],
            training_environment={"container_image": [cut(facts.lineage.image, TEXT)]}
            if facts.lineage.image
            else None,
            user_provided_hyper_parameters=[
                {"name": cut(name, SHORT), "value": cut(str(value) or "none", SHORT)}
                for name, value in sorted(parameters.items())[:100]
            ],
        ),
    }


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
        "ethical_considerations": cut(compared, LONG),
        "caveats_and_recommendations": cut(_caveats(facts), LONG),
        "custom_details": known(
            model=facts.contract.model,
            algorithm=cut(facts.contract.training.estimator, TEXT),
            problem=facts.contract.problem,
            libraries=cut(libraries, TEXT),
            report=cut(f"{run}/{EVALUATION_PLACE}/{REPORT_PAGE}", TEXT) if run else None,
        ),
    }


def _caveats(facts: Facts) -> str:
    measured = "Measured on rows of the same dataset: they say nothing of data that changes afterwards."
    if facts.holdout.refit:
        measured = f"{facts.holdout.sentence()} {measured}"
    if facts.validation is None:
        return measured
    problems = facts.validation["problems"]
    warned = " ".join(f"{one['check']}: {one['sentence']}" for one in problems)
    return f"{measured} Validation of the data " + (
        f"warned: {warned}" if warned else "had nothing to object to."
    )
