"""What `train` leaves in the model folder besides the graph."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from contract.schema import Contract
from tests.training.tables import mixed


@pytest.fixture
def baseline(mixed_model: Path) -> Any:
    return json.loads((mixed_model / "baseline.json").read_text(encoding="utf-8"))


def test_the_artifact_carries_the_contract_it_was_trained_on(mixed_model: Path) -> None:
    assert Contract.from_json((mixed_model / "contract.json").read_bytes()) == mixed().contract


def test_facts_say_how_the_model_came_to_be(mixed_model: Path) -> None:
    facts = json.loads((mixed_model / "model.json").read_text(encoding="utf-8"))
    assert facts["classes"] == ["no", "yes"], "the positive class comes last"
    assert facts["rows"]["train"] + facts["rows"]["holdout"] == len(mixed().rows)
    assert facts["libraries"]["onnxruntime"] == version("onnxruntime")
    assert facts["metrics"]["roc_auc"] > 0.9


def test_the_baseline_describes_each_feature_in_the_contracts_order(baseline: Any) -> None:
    assert list(baseline["features"]) == list(mixed().contract.feature_names)


def test_a_numbers_bins_hold_all_rows_that_have_it(baseline: Any) -> None:
    amount = baseline["features"]["amount"]
    assert len(amount["edges"]) == len(amount["counts"]) + 1
    assert sum(amount["counts"]) == round(baseline["rows"] * (1 - amount["missing"]))
    assert 0.05 < amount["missing"] < 0.15
    assert max(amount["counts"]) - min(amount["counts"]) <= 3, "quantile bins"


def test_a_categorys_values_are_counted(baseline: Any) -> None:
    plan = baseline["features"]["plan"]
    assert set(plan["counts"]) == {"free", "paid"}
    assert sum(plan["counts"].values()) + plan["other"] == round(baseline["rows"] * (1 - plan["missing"]))


def test_predictions_are_described_too(baseline: Any) -> None:
    negative, positive = baseline["predictions"]
    assert sum(positive["counts"]) == sum(negative["counts"])
    assert 0 <= positive["edges"][0] <= positive["edges"][-1] <= 1
