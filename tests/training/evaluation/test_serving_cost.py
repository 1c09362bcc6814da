"""What a model costs to serve is measured on the server itself, with rows as clients send them."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from container.errors import PlatformError
from contract.gates import SERVING
from contract.serving import CSV
from scoring.server.predictor import Predictor
from scoring.server.sealed_model import SealedModel
from tests.fixtures.tables import samples_of
from training.evaluation.serving_cost import measure, request


def test_the_request_is_rows_of_the_holdout_that_the_server_scores_alike(mixed_model: Path) -> None:
    contract, holdout = samples_of("binary")
    body = request(holdout, contract, len(holdout))
    answers = [json.loads(line) for line in Predictor(mixed_model).respond(CSV, body.encode()).splitlines()]
    expected = SealedModel(mixed_model).rows(holdout).predictions
    assert [answer["probability"] for answer in answers] == pytest.approx(expected.tolist(), abs=1e-6)


def test_few_rows_repeat() -> None:
    contract, holdout = samples_of("binary")
    few = holdout.where([i < 3 for i in range(len(holdout))])  # type: ignore[arg-type]
    header, *rows = csv.reader(StringIO(request(few, contract, 7)))
    assert sorted(header) == sorted(contract.feature_names)
    assert rows == [*rows[:3], *rows[:3], rows[0]]


def test_costs_are_measured_and_plausible(mixed_model: Path) -> None:
    contract, holdout = samples_of("binary")
    archive = mixed_model / "model.onnx"
    found = measure(mixed_model, archive, holdout, contract)
    assert tuple(found) == SERVING
    assert found["artifact_bytes"] == archive.stat().st_size
    assert 0 < found["latency_p50_ms"] <= found["latency_p99_ms"] < 1_000
    assert 0 < found["latency_100_rows_p50_ms"] <= found["latency_100_rows_p99_ms"] < 5_000
    assert 30 < found["memory_mib"] < 2_000


def test_a_model_that_cannot_be_served_is_the_platforms_fault(tmp_path: Path) -> None:
    contract, holdout = samples_of("binary")
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(PlatformError, match="the model server does not answer"):
        measure(tmp_path, tmp_path / "model.onnx", holdout, contract)
