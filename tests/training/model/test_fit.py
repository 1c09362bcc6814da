"""What can be fitted on: tables that are odd and legal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

from container.errors import ModelCodeError
from contract.schema import Problem, Training
from tabular.onnx_session import Graph
from tests.fixtures.tables import ESTIMATORS, of_problem, samples_of
from training.jobs.train import build
from training.model.checkpoints import Checkpoints
from training.model.fit import fit
from training.model.onnx_export import check_parity, to_onnx


@pytest.mark.parametrize("problem", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_columns_without_a_value_are_fitted_and_served(estimator: str, problem: Problem) -> None:
    contract, samples = samples_of(problem)
    contract = replace(contract, training=Training(estimator=of_problem(estimator, problem)))
    numbers, categories = samples.numbers.copy(), samples.categories.copy()
    numbers[:, 0], categories[:, 0] = np.nan, ""
    empty = replace(samples, numbers=numbers, categories=categories)
    model = fit(empty, contract)
    graph = Graph(to_onnx(model, contract))
    check_parity(model, graph, empty)
    check_parity(model, graph, samples)
    # A value where training had none says nothing, whatever it is.
    moved = numbers.copy()
    moved[:, 0] = 1e6
    assert np.array_equal(graph.run(numbers, categories), graph.run(moved, categories)), (
        "the model goes by a column that it never saw a value of"
    )


def test_an_estimator_that_fails_to_predict_is_the_models_fault() -> None:
    """The largest numbers of 32 bits, which a linear model cannot scale in 32 bits."""
    contract, samples = samples_of("regression")
    contract = replace(contract, training=Training(estimator="ridge-regression"))
    numbers = samples.numbers.copy()
    numbers[:, 2] = np.where(np.arange(len(samples)) % 2, 3.4e38, -3.4e38)
    huge = replace(samples, numbers=numbers)
    with pytest.raises(ModelCodeError, match="fails to predict"):
        fit(huge, contract).predict(huge)


def test_what_adds_up_in_a_fit_is_left_to_one_thread() -> None:
    """A sum over several depends on how many there are, and the sealed bytes on the sum."""
    contract, samples = samples_of("binary")
    seen: list[set[int]] = []

    def score(*_: object) -> float:
        seen.append({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"})
        return 0.0

    parameters = {"scoring": score, "early_stopping": True, "max_iter": 2}
    with threadpool_limits(limits=2, user_api="blas"):
        fit(samples, replace(contract, training=replace(contract.training, parameters=parameters)))
    assert seen
    assert set().union(*seen) == {1}


def test_a_metric_that_is_not_defined_is_none_in_the_artifact(tmp_path: Path) -> None:
    """JSON has no word for NaN: other readers than Python's refuse it."""
    contract, samples = samples_of("regression")
    training = Training(estimator="ridge-regression")
    same = replace(samples, target=np.full(len(samples), 2, np.float32))
    build(
        replace(contract, training=training), samples, same, {}, tmp_path, tuned={}, checkpoints=Checkpoints()
    )
    facts = json.loads((tmp_path / "model.json").read_text(), parse_constant=pytest.fail)
    assert facts["metrics"]["r2"] is None
    assert facts["metrics"]["rmse"] > 0
