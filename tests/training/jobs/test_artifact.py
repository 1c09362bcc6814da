"""What `train` leaves in the model folder besides the graph."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from contract.schema import Contract
from tests.fixtures.tables import mixed


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


def test_every_training_row_is_counted_in_each_feature(baseline: Any, mixed_model: Path) -> None:
    rows = json.loads((mixed_model / "model.json").read_text(encoding="utf-8"))["rows"]
    assert {sum(column["counts"]) for column in baseline["features"].values()} == {rows["train"]}
    assert {sum(column["counts"]) for column in baseline["predictions"].values()} == {rows["holdout"]}


def test_predictions_are_described_under_the_name_they_have_in_a_result(baseline: Any) -> None:
    edges = baseline["predictions"]["probability"]["edges"]
    assert 0 <= edges[0] < edges[-1] <= 1
