"""Fairness: fairlearn's own functions, and counts by hand, find the same."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn import metrics as fairlearn

from contract.documents.evaluation import Fairness
from contract.gates import DISPARITIES
from contract.schema import Feature, Problem
from metrics.problem_metrics import Rows
from tests.training.evaluation.cases import CLASSES, Array, contract, predicted, samples
from training.evaluation.fairness import assess

ROWS = 900
SEX = Feature(name="sex", type="category")


def assessed(rows: Rows, groups: Array, problem: Problem = "binary", minimum_rows: int = 30) -> Fairness:
    of = contract(SEX, problem=problem, sensitive=("sex",), minimum_rows=minimum_rows)
    return assess(of, samples([], [groups]), rows, CLASSES[problem])["sex"]


@pytest.fixture
def groups() -> Array:
    names = np.array(["f", "m", "x"], object)
    chosen: Array = names[np.random.default_rng(5).choice(3, ROWS, p=[0.5, 0.4, 0.1])]
    return chosen


def test_disparities_of_a_binary_problem_are_fairlearns(groups: Array) -> None:
    rows = predicted("binary", ROWS)
    rows.predictions[groups == "m"] *= 0.6
    chosen = rows.predictions >= rows.threshold
    given = {"y_true": rows.truth, "y_pred": chosen, "sensitive_features": groups}

    found = assessed(rows, groups)["disparities"]

    by_group = fairlearn.MetricFrame(
        metrics=lambda truth, pred: float(np.mean(truth == pred)),
        y_true=rows.truth,
        y_pred=chosen,
        sensitive_features=groups,
    )
    expected = {
        "demographic_parity_difference": fairlearn.demographic_parity_difference(**given),
        "demographic_parity_ratio": fairlearn.demographic_parity_ratio(**given),
        "equal_opportunity_difference": fairlearn.equal_opportunity_difference(**given),
        "equalized_odds_difference": fairlearn.equalized_odds_difference(**given),
        "accuracy_difference": by_group.difference(),
    }
    assert tuple(expected) == DISPARITIES["binary"]
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value), name
        low, high = found[name]["low"], found[name]["high"]
        assert low is not None
        assert high is not None
        assert low - 0.01 <= value <= high + 0.01, name


def test_groups_are_told_with_their_rates(groups: Array) -> None:
    rows = predicted("binary", ROWS)
    chosen = rows.predictions >= rows.threshold

    for group in assessed(rows, groups)["groups"]:
        of = groups == group["group"]
        positive = of & (rows.truth == 1)
        assert group["rows"] == of.sum()
        assert group["statistics"] == pytest.approx(
            {
                "accuracy": np.mean(chosen[of] == rows.truth[of]),
                "selection_rate": chosen[of].mean(),
                "true_positive_rate": chosen[positive].mean(),
                "false_positive_rate": chosen[of & (rows.truth == 0)].mean(),
            }
        )


def test_of_several_classes_the_worst_counts(groups: Array) -> None:
    rows = predicted("multiclass", ROWS)
    found = assessed(rows, groups, "multiclass")["disparities"]

    gaps = [
        fairlearn.demographic_parity_difference(
            y_true=rows.truth == k, y_pred=rows.chosen == k, sensitive_features=groups
        )
        for k in range(3)
    ]
    assert found["demographic_parity_difference"]["value"] == pytest.approx(max(gaps))
    assert found.keys() == set(DISPARITIES["multiclass"])


def test_a_regression_is_compared_by_what_it_predicts_and_misses(groups: Array) -> None:
    rows = predicted("regression", ROWS)
    rows.predictions[groups == "x"] += 3

    found = assessed(rows, groups, "regression")["disparities"]

    def apart(column: Array) -> float:
        means = [column[groups == name].mean() for name in ("f", "m", "x")]
        return float(max(means) - min(means))

    assert found["mean_prediction_difference"]["value"] == pytest.approx(apart(rows.predictions))
    assert found["mean_residual_difference"]["value"] == pytest.approx(apart(rows.truth - rows.predictions))
    assert found["mae_difference"]["value"] == pytest.approx(apart(np.abs(rows.errors)))


def test_a_small_group_is_shown_and_not_compared() -> None:
    groups = np.array(["f", "m"] * 445 + ["x"] * 10, object)
    rows = predicted("binary", ROWS)
    rows.predictions[-10:] = 0.01

    found = assessed(rows, groups)

    assert {group["group"]: group["counted"] for group in found["groups"]} == {
        "f": True,
        "m": True,
        "x": False,
    }
    apart = found["disparities"]["demographic_parity_difference"]["value"]
    assert apart is not None
    assert apart < 0.2


def test_of_one_row_the_group_is_told() -> None:
    (group,) = assessed(predicted("regression", 1), np.array(["f"], object), "regression")["groups"]
    assert (group["group"], group["rows"], group["counted"]) == ("f", 1, False)


def test_one_group_has_nobody_to_be_compared_with() -> None:
    found = assessed(predicted("binary", ROWS), np.full(ROWS, "f", object))
    assert {one["value"] for one in found["disparities"].values()} == {None}


def test_a_rate_that_one_group_alone_defines_is_compared_with_nothing() -> None:
    """A gap of 0 would pass a gate that nobody has looked at."""
    groups = np.array(["f", "m"], object)[np.arange(ROWS) % 2]
    rows = predicted("binary", ROWS)
    rows.truth[groups == "m"] = 0

    found = assessed(rows, groups)["disparities"]

    nothing = {"value": None, "low": None, "high": None}
    assert found["equal_opportunity_difference"] == nothing
    assert found["demographic_parity_difference"]["value"] is not None


def test_a_class_that_one_group_alone_has_leaves_the_others_to_compare() -> None:
    groups = np.array(["f", "m"], object)[np.arange(ROWS) % 2]
    rows = predicted("multiclass", ROWS)
    rows.truth[(groups == "m") & (rows.truth == 2)] = 0

    found = assessed(rows, groups, "multiclass")["disparities"]["equal_opportunity_difference"]

    gaps = [
        fairlearn.equal_opportunity_difference(
            y_true=rows.truth == k, y_pred=rows.chosen == k, sensitive_features=groups
        )
        for k in (0, 1)
    ]
    assert found["value"] == pytest.approx(max(gaps))


def test_a_rate_that_a_group_does_not_define_is_left_out() -> None:
    groups = np.array(["f", "m", "x"], object)[np.arange(ROWS) % 3]
    rows = predicted("binary", ROWS)
    rows.truth[groups == "x"] = 0
    rates = [
        (rows.predictions[(groups == name) & (rows.truth == 1)] >= rows.threshold).mean()
        for name in ("f", "m")
    ]

    found = assessed(rows, groups)

    assert found["disparities"]["equal_opportunity_difference"]["value"] == pytest.approx(
        abs(rates[0] - rates[1])
    )
    assert found["groups"][2]["statistics"]["true_positive_rate"] is None
