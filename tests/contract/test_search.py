"""A parameter survives its way through SageMaker, which carries texts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.gates import METRICS
from contract.schema import Contract, Target, Training
from contract.search import OBJECTIVES, Range, Search, default_space

INTEGER = Range(type="integer", minimum=-1000, maximum=1000)
FLOAT = Range(type="float", minimum=-1e300, maximum=1e300)
CATEGORY = Range(type="category", values=("gini", "log loss", 5, 0.5, True, False))


@given(st.integers(-1000, 1000))
def test_integers_survive(value: int) -> None:
    assert INTEGER.value(INTEGER.text(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive(value: float) -> None:
    assert FLOAT.value(FLOAT.text(value)) == value


@pytest.mark.parametrize("value", CATEGORY.values)
def test_categories_survive_with_their_type(value: Any) -> None:
    found = CATEGORY.value(CATEGORY.text(value))
    assert (found, type(found)) == (value, type(value))


def test_what_is_in_no_range_is_refused() -> None:
    with pytest.raises(ValueError, match="'entropy' is none of gini, log loss"):
        CATEGORY.value("entropy")
    with pytest.raises(ValueError, match="invalid literal"):
        INTEGER.value("much")


def test_a_trial_is_given_what_is_searched_and_more() -> None:
    search = Search(max_jobs=2, objective="roc_auc", parameters={"depth": INTEGER, "criterion": CATEGORY})
    given = {"depth": "3", "criterion": "5", "_tuning_objective_metric": "validation:roc_auc"}
    assert search.read(given) == {"depth": 3, "criterion": 5}
    with pytest.raises(ValueError, match="was not given criterion"):
        search.read({"depth": "3"})


def test_every_default_objective_is_a_metric_of_its_problem() -> None:
    assert OBJECTIVES.keys() == METRICS.keys()
    assert all(metric in METRICS[problem] for problem, metric in OBJECTIVES.items())


@pytest.mark.parametrize("problem", METRICS)
@pytest.mark.parametrize(
    "estimator", ["hist-gradient-boosting", "random-forest", "logistic-regression", "ridge-regression"]
)
def test_a_search_survives_the_contract(estimator: str, problem: Any) -> None:
    search = Search(
        max_jobs=3,
        objective=OBJECTIVES[problem],
        warm_start_from=("before",),
        parameters=default_space(estimator),
    )
    contract = Contract(
        model="m", problem=problem, target=Target(name="y"), features=(), training=Training(search=search)
    )
    assert Contract.from_json(contract.to_json()) == contract
    assert search
    assert not Search()
