"""ONNX against scikit-learn, where the two are known to part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingRegressor, StackingRegressor, VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from container.errors import ModelCodeError
from contract.schema import Contract, Feature, Problem, Target, Training
from tabular.onnx_session import Graph
from tabular.samples import Samples
from tests.fixtures.tables import COLOURS, ESTIMATORS, of_problem, samples_of
from training.features.estimator_input import LARGEST_VOCABULARY, base
from training.model.fit import FittedModel, fit
from training.model.onnx_export import TOLERANCE, check_parity, to_onnx

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models() -> dict[tuple[str, str], tuple[FittedModel, Graph]]:
    made = {}
    for problem in ("binary", "multiclass", "regression"):
        for estimator in ESTIMATORS:
            contract, samples = samples_of(problem)
            contract = replace(contract, training=Training(estimator=of_problem(estimator, problem)))
            model = fit(samples, contract)
            made[problem, estimator] = model, Graph(to_onnx(model, contract))
    return made


float32 = st.floats(width=32, allow_infinity=False)
odd_rows = st.lists(
    st.tuples(
        st.tuples(float32, float32, float32),
        st.tuples(
            st.sampled_from(["", "unseen", "?", *COLOURS])
            | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
            st.sampled_from(["S", "M", "L", ""]),
            st.sampled_from(["free", "paid", ""]),
        ),
    ),
    min_size=1,
    max_size=20,
)


@pytest.fixture(scope="module")
def usual() -> Samples:
    """Rows that give a regression's tolerance, a share of the largest value, its holdout's scale."""
    return samples_of("regression")[1]


LARGEST = float(np.finfo(np.float32).max)
OVERFLOWING = [((value, value, value), ("", "", "")) for value in (LARGEST, -LARGEST) for _ in range(4)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=odd_rows)
@example(rows=OVERFLOWING)
def test_trees_agree_on_any_row_there_is(models: Any, usual: Samples, rows: list[Any]) -> None:
    numbers = np.vstack([usual.numbers, np.array([row[0] for row in rows], np.float32)])
    categories = np.vstack([usual.categories, np.array([row[1] for row in rows], object)])
    samples = Samples(numbers, categories, np.zeros(len(numbers)))
    # scikit-learn looks for infinities in the sum of all values, which numpy warns of where it overflows both ways.
    with np.errstate(invalid="ignore"):
        for (_, estimator), (model, graph) in models.items():
            if estimator != "logistic-regression":
                check_parity(model, graph, samples)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=odd_rows)
def test_linear_models_agree_on_rows_within_reason(models: Any, rows: list[Any]) -> None:
    numbers = np.clip(np.array([row[0] for row in rows], np.float32), -1e5, 1e5)
    samples = Samples(numbers, np.array([row[1] for row in rows], object), np.zeros(len(rows)))
    for (problem, estimator), (model, graph) in models.items():
        if estimator in ("logistic-regression", "ridge-regression"):
            expected = model.predict(samples)
            found = graph.run(samples.numbers, samples.categories)
            assert np.abs(found - expected).max() <= 1e-4 * max(1, np.abs(expected).max()), problem


def test_a_threshold_between_two_neighbouring_floats_sends_no_row_the_other_way() -> None:
    below = np.float32(16_777_215)
    values = np.array([below, np.nextafter(below, np.float32(np.inf)), below * 2] * 40, np.float32)
    near = np.nextafter(np.float32(0.1), np.float32(1))
    values = np.concatenate([values, [np.float32(0.1), near] * 40]).astype(np.float32)
    contract = Contract(
        model="m",
        problem="binary",
        target=Target(name="t", positive="b"),
        features=(Feature(name="x", type="number"),),
    )
    target = np.array(["b" if v in (below, near) else "a" for v in values], object)
    samples = Samples(values[:, None], np.empty((len(values), 0), object), target)
    parameters = {"min_samples_leaf": 1, "learning_rate": 1.0}
    contract = replace(contract, training=Training(parameters=parameters))
    model = fit(samples, contract)
    probability = model.predict(samples)[:, 1]
    assert ((probability > 0.5) == (target == "b")).all(), "the model tells neighbouring floats apart"
    assert check_parity(model, Graph(to_onnx(model, contract)), samples) < TOLERANCE


LOSSES = ("squared_error", "absolute_error", "poisson", "gamma", "quantile")


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_of_the_trees_is_exported_with_its_link(loss: str, scale: float) -> None:
    contract, samples = samples_of("regression")
    samples = replace(samples, target=np.exp2(samples.target) * np.float32(scale))
    parameters: dict[str, Any] = {"loss": loss, "max_iter": 20}
    parameters |= {"quantile": 0.8} if loss == "quantile" else {}
    model = fit(samples, replace(contract, training=Training(parameters=parameters)))
    assert check_parity(model, Graph(to_onnx(model, contract)), samples) < TOLERANCE


LINKED = HistGradientBoostingRegressor(loss="poisson", max_iter=5)
WITHIN = {
    "pipeline": make_pipeline(SimpleImputer(), LINKED),
    "voting": VotingRegressor([("a", LINKED), ("b", HistGradientBoostingRegressor(max_iter=5))]),
    "stacking": StackingRegressor([("a", LINKED)], final_estimator=Ridge()),
    "glm": make_pipeline(SimpleImputer(), StandardScaler(), PoissonRegressor()),
}


@pytest.mark.parametrize("name", WITHIN)
def test_so_it_is_within_other_estimators(name: str) -> None:
    contract, samples = samples_of("regression")
    samples = replace(samples, target=np.exp2(samples.target))
    fitted = fit(samples, contract)
    matrix = fitted.derived.matrix(base(samples, fitted.encoder), samples.texts)
    own = clone(WITHIN[name]).fit(matrix, samples.target)
    model = replace(fitted, estimator=own)
    assert check_parity(model, Graph(to_onnx(model, contract)), samples) < TOLERANCE


@pytest.mark.parametrize("problem", ["binary", "regression"])
def test_splits_by_sets_of_values_are_refused(problem: Problem) -> None:
    contract, samples = samples_of(problem)
    contract = replace(contract, training=Training(parameters={"categorical_features": [4], "max_iter": 5}))
    model = fit(samples, contract)
    with pytest.raises(ModelCodeError, match="categorical_features splits by sets of values"):
        to_onnx(model, contract)


@pytest.mark.parametrize("problem", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_more_values_than_have_a_code(problem: Problem, estimator: str) -> None:
    contract, samples = samples_of(problem)
    many = np.array([f"value {i % (LARGEST_VOCABULARY + 50)}" for i in range(6 * len(samples))], object)
    larger = Samples.joined([samples] * 6)
    larger.categories[:, 0] = many
    contract = replace(contract, training=Training(estimator=of_problem(estimator, problem)))
    model = fit(larger, contract)
    assert model.encoder is not None
    assert len(model.encoder.categories_[0]) == LARGEST_VOCABULARY
    larger.categories[::5] = "never seen"
    larger.categories[1::5] = ""
    larger.numbers[::3] = np.nan
    check_parity(model, Graph(to_onnx(model, contract)), larger)


def test_a_value_never_seen_is_scored_as_a_rare_one() -> None:
    contract, samples = samples_of("binary")
    samples.categories[:3, 0] = ["rare", "rarer", "rarest"]
    model = fit(samples, contract)
    graph = Graph(to_onnx(model, contract))
    one = samples.where(np.arange(len(samples)) == 0)
    one.categories[0, 0] = "rare"
    rare = graph.run(one.numbers, one.categories)
    one.categories[0, 0] = "never seen"
    np.testing.assert_array_equal(graph.run(one.numbers, one.categories), rare)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("kept", ["numbers", "categories"])
def test_the_graph_has_only_the_inputs_that_the_contract_has(kept: str, estimator: str) -> None:
    contract, samples = samples_of("binary")
    features = contract.numeric if kept == "numbers" else contract.categorical
    contract = replace(contract, features=features, training=Training(estimator=estimator))
    none = np.empty((len(samples), 0), object)
    samples = (
        replace(samples, categories=none)
        if kept == "numbers"
        else replace(samples, numbers=none.astype(np.float32))
    )
    model = fit(samples, contract)
    exported = to_onnx(model, contract)
    assert [declared.name for declared in onnx.load_from_string(exported).graph.input] == [kept]
    check_parity(model, Graph(exported), samples)


def test_a_graph_that_predicts_otherwise_fails_the_run() -> None:
    contract, samples = samples_of("binary")
    model = fit(samples, contract)
    other = replace(contract, training=Training(parameters={"max_iter": 3}))
    graph = Graph(to_onnx(fit(samples, other), other))
    with pytest.raises(ModelCodeError, match=r"differ by .* on the holdout; 1e-05 is allowed"):
        check_parity(model, graph, samples)


def test_an_estimator_that_cannot_be_exported_blames_the_model_code() -> None:
    contract, samples = samples_of("binary")
    model = replace(fit(samples, contract), estimator=DummyClassifier().fit([[0.0]] * 2, [0, 1]))
    with pytest.raises(ModelCodeError, match="cannot be exported to ONNX"):
        to_onnx(model, contract)


def test_parameters_that_the_estimator_does_not_have_blame_the_model_code() -> None:
    contract, samples = samples_of("binary")
    contract = replace(contract, training=Training(parameters={"trees": 7}))
    with pytest.raises(ModelCodeError, match=r"'hist-gradient-boosting' cannot be built: .*'trees'"):
        fit(samples, contract)


def test_an_estimator_of_the_models_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (Path(__file__).parents[3] / "models" / "README.md").read_text()
    folder = tmp_path / "models" / "own"
    folder.mkdir(parents=True)
    example = source.split("## Estimators", 1)[1].partition("```python\n")[2].partition("```")[0]
    (folder / "estimator.py").write_text(example)
    import models

    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path / "models")])
    contract, samples = samples_of("binary")
    contract = replace(
        contract, model="own", training=Training(estimator="estimator:build", parameters={"trees": 10})
    )
    model = fit(samples, contract)
    assert len(model.estimator[-1].estimators_) == 10
    check_parity(model, Graph(to_onnx(model, contract)), samples)


def test_an_estimator_that_is_not_there_is_named() -> None:
    contract, samples = samples_of("binary")
    with pytest.raises(ModelCodeError, match="'estimator:build' cannot be built: ModuleNotFoundError"):
        fit(samples, replace(contract, training=Training(estimator="estimator:build")))
