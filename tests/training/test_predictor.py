"""What the server does with what a graph gives it."""

from __future__ import annotations

import json
from pathlib import Path

from contract.serving import CSV
from tests.training.folders import Run
from tests.training.tables import mixed, to_csv
from training.predictor import REMEMBERED_HEADERS, Predictor


def test_a_prediction_that_is_not_finite_is_a_failure_of_its_row_alone(tmp_path: Path) -> None:
    table = mixed("regression").with_training(estimator="logistic-regression")
    _, trained = Run(tmp_path, table).trained()
    predictor = Predictor(trained.base / "model")
    rows = [[*table.rows[0][:4], ratio, "free"] for ratio in ("1", "3.4e38", "2")]
    answers = [
        json.loads(line)
        for line in predictor.answer(CSV, to_csv([table.header[:-1], *rows]).encode()).splitlines()
    ]
    assert ["rejected" in answer for answer in answers] == [False, True, False]
    assert answers[1]["rejected"][0]["code"] == "model_failed"


def test_many_different_headers_are_not_remembered_for_ever(mixed_model: Path) -> None:
    predictor = Predictor(mixed_model)
    table = mixed()
    for i in range(3 * REMEMBERED_HEADERS):
        body = to_csv([[*table.header, f"column {i}"], [*table.rows[0], ""]])
        assert "prediction" in json.loads(predictor.answer(CSV, body.encode()))
    assert len(predictor._readers) <= REMEMBERED_HEADERS
