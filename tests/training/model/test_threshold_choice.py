"""The threshold is chosen by its rule, and it is the one the server goes by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference

from contract.schema import Target
from contract.serving import CSV
from contract.threshold import AtLeast, Best, Costs
from scoring.server.predictor import Predictor
from scoring.server.result_rows import CsvRows
from scoring.server.sealed_model import SealedModel
from tests.fixtures.folders import Run
from tests.fixtures.tables import Table, mixed, samples_of, to_csv
from tests.training.evaluation.cases import Array, predicted
from training.model.threshold_choice import best, choose


@pytest.fixture
def found() -> tuple[Array, Array]:
    """Truth and probabilities [n] that a search for the best threshold is worth."""
    rows = predicted("binary", 400)
    return rows.truth, np.round(rows.predictions, 2)


def every(probability: Array) -> Iterator[float]:
    """A threshold below each probability that occurs."""
    yield from (float(value) - 1e-9 for value in np.unique(probability))


def test_the_best_f1_is_the_best_of_all_thresholds(found: tuple[Array, Array]) -> None:
    truth, probability = found
    value, why = best(Best("f1"), truth, probability)
    scores = [float(reference.f1_score(truth, probability >= t)) for t in every(probability)]
    assert reference.f1_score(truth, probability >= value) == pytest.approx(max(scores))
    assert f"f1 is {max(scores):.4g}" in why


def test_the_best_of_youden_is_farthest_above_the_diagonal(found: tuple[Array, Array]) -> None:
    truth, probability = found
    value, _ = best(Best("youden"), truth, probability)
    false, true, _ = reference.roc_curve(truth, probability, drop_intermediate=False)
    chosen = probability >= value
    assert chosen[truth == 1].mean() - chosen[truth == 0].mean() == pytest.approx(max(true - false))


@pytest.mark.parametrize("least", [0.9, 0.99])
def test_a_recall_is_kept_with_the_greatest_precision(found: tuple[Array, Array], least: float) -> None:
    truth, probability = found
    value, _ = best(AtLeast("recall", least), truth, probability)
    kept = [
        float(reference.precision_score(truth, probability >= t))
        for t in every(probability)
        if reference.recall_score(truth, probability >= t) >= least
    ]
    assert reference.recall_score(truth, probability >= value) >= least
    assert reference.precision_score(truth, probability >= value) == pytest.approx(max(kept))


def test_a_recall_that_is_just_reached_is_enough() -> None:
    truth, probability = np.array([1.0, 1, 0, 1, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6, 0.3, 0.2])
    value, why = best(AtLeast("recall", 0.5), truth, probability)
    assert 0.7 < value <= 0.8
    assert why == "recall is 0.5"


def test_a_precision_out_of_reach_is_come_as_near_as_can_be() -> None:
    truth, probability = np.array([0.0, 1, 0, 0]), np.array([0.9, 0.8, 0.1, 0.1])
    value, why = best(AtLeast("precision", 0.9), truth, probability)
    assert 0.1 < value <= 0.8
    assert why == "precision is 0.5, the greatest it can be"


@pytest.mark.parametrize(("positive", "negative"), [(1, 1), (1, 20), (20, 1)])
def test_the_cost_is_the_least_of_all(found: tuple[Array, Array], positive: float, negative: float) -> None:
    truth, probability = found

    def cost(threshold: float) -> float:
        chosen = probability >= threshold
        false = np.sum(chosen & (truth == 0)) * positive
        return float(false + np.sum(~chosen & (truth == 1)) * negative)

    value, _ = best(Costs(positive, negative), truth, probability)
    assert cost(value) <= min(map(cost, [*every(probability), 1.0]))


def test_where_every_alarm_costs_more_than_it_saves_there_is_none() -> None:
    truth, probability = np.array([0.0, 1, 0, 1]), np.array([0.9, 0.6, 0.5, 0.4])
    value, why = best(Costs(100, 1), truth, probability)
    assert 0.9 < value <= 1
    assert why == "a row costs 0.5 on average"


def test_a_certain_probability_is_positive_at_every_threshold() -> None:
    truth, probability = np.array([0.0, 0, 1, 1]), np.array([1.0, 0.6, 0.5, 0.4])
    value, _ = best(Costs(100, 1), truth, probability)
    assert 0.6 < value <= 1


def test_only_a_binary_problem_has_a_threshold() -> None:
    contract, _ = samples_of("multiclass")
    assert choose(contract, pytest.fail) is None


@pytest.fixture(scope="module")
def costly() -> Table:
    """The mixed table, in which missing a yes costs twenty times as much as a false alarm."""
    table = mixed()
    target = Target(name="outcome", positive="yes", threshold={"false_positive": 1, "false_negative": 20})
    contract = replace(table.contract, target=target)
    return replace(
        table,
        contract=replace(contract, training=replace(contract.training, estimator="logistic-regression")),
    )


@pytest.mark.slow
def test_the_server_goes_by_the_threshold_that_was_chosen(costly: Table, tmp_path: Path) -> None:
    _, trained = Run(tmp_path, costly).trained()
    folder = trained.base / "model"
    threshold = json.loads((folder / "model.json").read_text())["threshold"]["value"]
    assert 0 < threshold < 0.4

    answers = [
        json.loads(line)
        for line in Predictor(folder)
        .respond(CSV, to_csv([costly.header, *costly.rows]).encode())
        .splitlines()
    ]

    said = {(a["prediction"], a["probability"] >= threshold) for a in answers}
    assert said == {("yes", True), ("no", False)}
    assert any(threshold <= a["probability"] < 0.5 for a in answers), "0.5 would have said the same"
    assert SealedModel(folder).threshold == threshold


def test_results_of_the_batch_path_go_by_it_too() -> None:
    written = CsvRows("binary", ["no", "yes"], "m/3", 0.2).write(
        np.array([[0.75, 0.25], [0.85, 0.15]], np.float32)
    )
    assert written == [",yes,0.25,,m/3", ",no,0.15,,m/3"]
