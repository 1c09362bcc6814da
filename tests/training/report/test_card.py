"""The model card is what SageMaker takes: by its own schema, and by what the schema cannot say."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from contract.schema import Feature, Problem
from tests.training.report.examples import evaluation, facts
from training.report.card import MAX_CHARACTERS, card, to_json
from training.report.facts import Facts, Lineage

PROBLEMS: tuple[Problem, ...] = ("binary", "multiclass", "regression")


def schema() -> dict[str, Any]:
    """SageMaker's schema, as strict as its documentation says (see the README beside it)."""
    path = Path(__file__).parent / "sagemaker" / "model_card_schema.json"
    document: dict[str, Any] = json.loads(path.read_text())
    # It calls itself by the name of the schema of schemas.
    document.pop("$id")
    overview = document["properties"]["model_overview"]["properties"]
    for name in set(overview) - {"model_creator", "model_artifact"}:
        del overview[name]
    parameter = document["definitions"]["training_hyper_parameter"]
    parameter["required"] = ["name", "value"]
    parameter["properties"]["value"]["pattern"] = ".{1,255}"
    anchored: dict[str, Any] = _anchored(document)
    return anchored


def _anchored(node: Any) -> Any:
    """Patterns as they are meant: of the whole text. JSON schema only looks whether one occurs."""
    if isinstance(node, dict):
        return {key: f"^{value}$" if key == "pattern" else _anchored(value) for key, value in node.items()}
    return [_anchored(item) for item in node] if isinstance(node, list) else node


def errors(content: Any) -> Iterator[str]:
    for error in Draft7Validator(schema()).iter_errors(content):
        yield f"{error.json_path}: {error.message[:200]}"


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_card_is_what_sagemaker_takes(problem: Problem) -> None:
    content = card(facts(problem))
    assert list(errors(content)) == []
    text = to_json(content)
    assert json.loads(text) == content
    assert "\n" not in text


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_card_has_the_facts_of_the_report(problem: Problem) -> None:
    given = facts(problem)
    [holdout] = card(given)["evaluation_details"]
    groups = {group["name"]: group["metric_data"] for group in holdout["metric_groups"]}
    measured = {one["name"]: one["value"] for one in groups["metrics"]}
    for name, interval in given.evaluation["metrics"].items():
        assert measured[name] == interval["value"]
    assert {one["name"]: one["value"] for one in groups["gates"]} == {
        gate["gate"]: gate["passed"] for gate in given.evaluation["gates"]
    }
    assert {one["name"] for one in groups["fairness: sex"]} == {"demographic_parity_difference"}
    assert holdout["metadata"]["dataset_version"] == given.dataset
    assert [one["type"] for one in groups["importance"]] == ["bar_chart"]
    drawn = {"binary": {"calibration"}, "multiclass": {"confusion"}, "regression": {"residuals"}}
    assert drawn[problem] <= {one["name"] for one in groups["curves"]}
    assert len(groups["robustness"]) == len(given.evaluation["robustness"])


def test_a_card_has_what_validation_warned_of() -> None:
    given = facts()
    assert given.validation is not None
    (warning,) = given.validation["problems"]
    caveats = card(given)["additional_information"]["caveats_and_recommendations"]
    assert caveats.endswith(f"Validation of the data warned: {warning['check']}: {warning['sentence']}")
    sound = dataclasses.replace(given, validation={**given.validation, "problems": []})
    caveats = card(sound)["additional_information"]["caveats_and_recommendations"]
    assert caveats.endswith("Validation of the data had nothing to object to.")


def test_what_a_run_by_hand_does_not_know_is_left_out() -> None:
    given = facts(champion=None, fairness={}, gates=[], passed=True, missed="")
    assert list(errors(card(dataclasses.replace(given, validation=None, trials=(), lineage=Lineage())))) == []


def test_a_card_of_a_very_large_run_is_cut_to_what_sagemaker_takes() -> None:
    assert list(errors(card(huge()))) == []
    assert len(to_json(card(huge()))) <= MAX_CHARACTERS


def huge() -> Facts:
    """A hundred classes, hundreds of features with long names, and long sentences."""
    names = [f"{i} {'wide ' * 60}" for i in range(400)]
    classes = names[:100]
    document: dict[str, Any] = {**evaluation("multiclass")}
    grid = [i / 200 for i in range(200)]
    curve = [{"label": name, "x": grid, "y": grid, "area": 0.5} for name in classes]
    confusion = {"classes": classes, "counts": [[1] * 100] * 100}
    importance = [{"feature": name, "permutation_mean": 0.1, "shap_mean_abs": 0} for name in names]
    gate = {"gate": "x" * 999, "name": "x", "condition": "x", "value": 1, "passed": True, "says": "y" * 9999}
    given = facts(
        "multiclass",
        curves={**document["curves"], "roc": curve, "pr": curve, "confusion": confusion},
        importance={**document["importance"], "features": importance},
        gates=[gate] * 30,
        missed="z" * 9999,
    )
    contract = dataclasses.replace(
        given.contract,
        description="d" * 9999,
        features=tuple(Feature(name=name, type="number") for name in names),
        sensitive=tuple(names),
    )
    return dataclasses.replace(given, contract=contract)


def test_the_schema_finds_a_mistake() -> None:
    content = card(facts())
    content["model_overview"]["model_name"] = "no such member"
    content["evaluation_details"][0]["name"] = "n" * 64
    assert {error.split(":")[0] for error in errors(content)} == {
        "$.model_overview",
        "$.evaluation_details[0].name",
    }
