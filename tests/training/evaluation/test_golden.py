"""Golden requests: rows of the holdout, and what the sealed artifact answered."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from scoring.server.predictor import Predictor
from tests.fixtures.tables import samples_of
from training.evaluation import golden


def test_the_server_answers_golden_requests_as_evaluation_heard_it(mixed_model: Path, tmp_path: Path) -> None:
    contract, holdout = samples_of("binary")
    digest = golden.write(golden.ask(mixed_model, holdout, contract), tmp_path / "golden.json")
    body = (tmp_path / "golden.json").read_bytes()
    assert hashlib.sha256(body).hexdigest() == digest
    document = json.loads(body)
    assert len(document["responses"]) == min(golden.ROWS, len(holdout))
    answered = Predictor(mixed_model).respond(document["content_type"], document["request"].encode())
    assert [json.loads(line) for line in answered.splitlines()] == document["responses"]
    assert all("prediction" in response for response in document["responses"])


def test_few_rows_are_all_of_them(mixed_model: Path) -> None:
    contract, holdout = samples_of("binary")
    few = holdout.where([i < 3 for i in range(len(holdout))])  # type: ignore[arg-type]
    assert len(golden.ask(mixed_model, few, contract)["responses"]) == 3
