"""A table through all jobs, as the SageMaker pipeline chains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from contract import artifact
from contract.gates import METRICS
from contract.schema import Problem
from tests.fixtures.folders import Run
from tests.fixtures.tables import ESTIMATORS, Table, diabetes, mixed, of_problem, tumor, wine

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(
    ("table", "metric", "least"),
    [(tumor, "roc_auc", 0.95), (wine, "accuracy", 0.85), (diabetes, "r2", 0.25), (mixed, "roc_auc", 0.9)],
)
def test_a_table_becomes_a_sealed_and_measured_model(
    tmp_path: Path, table: Callable[[], Table], metric: str, least: float, estimator: str
) -> None:
    given = table().with_training(estimator=of_problem(estimator, table().contract.problem))
    run = Run(tmp_path, given, {metric: f">= {least}"})
    assert run.validate().run("validate") == 0
    prepared, trained = run.trained()
    evaluated = run.evaluate(prepared, trained)
    assert evaluated.run("evaluate") == 0

    evaluation = evaluated.document("processing/output/evaluation/evaluation.json")
    assert evaluation["passed"], evaluation["missed"]
    assert set(evaluation["metrics"]) == set(METRICS[given.contract.problem])
    for interval in evaluation["metrics"].values():
        assert interval["low"] <= interval["value"] <= interval["high"]
    assert evaluation["artifact"] == artifact.verify(trained.base / "model")


@pytest.mark.parametrize("problem", ["multiclass", "regression"])
def test_categories_datetimes_and_missing_values_of_other_problems(tmp_path: Path, problem: Problem) -> None:
    for estimator in ESTIMATORS:
        run = Run(
            tmp_path / estimator, mixed(problem).with_training(estimator=of_problem(estimator, problem))
        )
        _, trained = run.trained()
        facts = trained.document("model/model.json")
        assert facts["parity"]["largest_difference"] <= facts["parity"]["tolerance"]


def test_the_same_dataset_and_code_give_the_same_bytes(tmp_path: Path) -> None:
    for estimator in ESTIMATORS:
        table = mixed().with_training(estimator=estimator)
        first, second = (Run(tmp_path / estimator / name, table).trained()[1] for name in ("a", "b"))
        sealed = [(job.base / "model" / "digests.json").read_bytes() for job in (first, second)]
        assert sealed[0] == sealed[1], estimator


def test_a_missed_gate_is_named_and_fails_no_job(tmp_path: Path) -> None:
    run = Run(tmp_path, tumor(), {"roc_auc": ">= 0.5", "brier": "< 0"})
    prepared, trained = run.trained()
    evaluated = run.evaluate(prepared, trained)
    assert evaluated.run("evaluate") == 0
    evaluation = evaluated.document("processing/output/evaluation/evaluation.json")
    assert not evaluation["passed"]
    assert "brier" in evaluation["missed"]
    verdicts = {gate["gate"]: gate["passed"] for gate in evaluation["gates"]}
    assert verdicts == {"roc_auc >= 0.5": True, "brier < 0": False}


def test_evaluate_refuses_an_artifact_that_was_altered(tmp_path: Path) -> None:
    run = Run(tmp_path, tumor())
    prepared, trained = run.trained()
    (trained.base / "model" / "baseline.json").write_text("{}")
    evaluated = run.evaluate(prepared, trained)
    assert evaluated.run("evaluate") == 1
    assert evaluated.message() == (
        "Platform: model.tar.gz is no sealed artifact: altered since it was sealed: baseline.json"
    )


def test_evaluate_refuses_an_artifact_of_another_contract(tmp_path: Path) -> None:
    run = Run(tmp_path, tumor())
    prepared, trained = run.trained()
    run.table = replace(run.table, contract=replace(run.table.contract, description="another"))
    evaluated = run.evaluate(prepared, trained)
    assert evaluated.run("evaluate") == 1
    assert "another contract" in evaluated.message()


def test_the_split_follows_the_features_alone(tmp_path: Path) -> None:
    table = mixed()
    whole, more = Run(tmp_path / "whole", table), Run(tmp_path / "more", table)
    doubled = (*reversed(table.rows), *table.rows[:300])
    jobs = (
        whole.prepare(),
        more.prepare({"a.csv": table.csv(doubled[:500]), "b.csv": table.csv(doubled[500:])}),
    )
    sides = []
    for job in jobs:
        assert job.run("prepare") == 0
        sides.append({side: _rows(job.output(side)) for side in ("train", "holdout")})
    assert sides[0] == sides[1]
    assert not sides[0]["train"] & sides[0]["holdout"]


def _rows(folder: Path) -> set[str]:
    import pyarrow.parquet as pq

    return {repr(row) for row in pq.read_table(folder / "samples.parquet").to_pylist()}
