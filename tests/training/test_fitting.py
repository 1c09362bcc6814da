"""What can be fitted on: tables that are odd and legal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from contract.schema import Problem, Training
from tests.training.tables import ESTIMATORS, of_problem, samples_of
from training.export import check_parity, to_onnx
from training.failures import ModelCodeError
from training.fitting import fit
from training.graph import Graph


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
