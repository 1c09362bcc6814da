"""Gates are judged by what was measured, and a verdict says what was missed."""

from __future__ import annotations

import pytest

from contract.documents.evaluation import Champion, Comparison, Verdict
from training.evaluation.gates import judge


def verdict(
    name: str, condition: str, value: float | None = None, champion: Champion | None = None
) -> Verdict:
    [found] = judge({name: condition}, {name: value}, champion)
    return found


def live(metric: str, low: float | None, high: float | None, *, theirs: float | None = 0.9) -> Champion:
    ours = 0.91
    compared: Comparison = {
        "champion": theirs,
        "challenger": ours,
        "difference": None if theirs is None else ours - theirs,
        "low": low,
        "high": high,
    }
    return {
        "model_version": "m/3",
        "not_comparable": "",
        "may_know_rows": False,
        "rows": 500,
        "metrics": {metric: compared},
    }


@pytest.mark.parametrize(
    ("condition", "value", "passed"),
    [
        (">= 0.9", 0.9, True),
        (">= 0.9", 0.899, False),
        ("> 0.9", 0.9, False),
        ("<= 0.1", 0.1, True),
        ("< 0.1", 0.1, False),
        ("<= 0.1", float("nan"), False),
        ("<= 0.1", None, False),
    ],
)
def test_a_limit(condition: str, value: float | None, passed: bool) -> None:
    found = verdict("recall", condition, value)
    assert found["passed"] is passed
    assert found["gate"] == f"recall {condition}"
    assert found["says"].endswith(f"must be {condition}")
    assert ("not defined" in found["says"]) == (value is None or value != value)


@pytest.mark.parametrize(
    ("condition", "low", "high", "passed"),
    [
        ("not worse", -0.005, 0.02, True),  # by one percent of 0.9
        ("not worse", -0.02, 0.05, False),
        ("not worse by 0.03", -0.02, 0.05, True),
        ("not worse by 2%", -0.017, 0.05, True),
        ("better", 0.001, 0.02, True),
        ("better", -0.001, 0.02, False),
        ("better by 0.01", 0.005, 0.03, False),
    ],
)
def test_against_the_live_model_the_whole_interval_counts(
    condition: str, low: float, high: float, passed: bool
) -> None:
    found = verdict("champion.roc_auc", condition, champion=live("roc_auc", low, high))
    assert found["passed"] is passed
    for part in ("m/3", "0.91", "0.9 on the same rows", f"{low:+.3g}", f"{high:+.3g}"):
        assert part in found["says"]


@pytest.mark.parametrize(("low", "high", "passed"), [(-0.3, -0.1, True), (-0.1, 0.3, False)])
def test_of_an_error_less_is_better(low: float, high: float, passed: bool) -> None:
    assert verdict("champion.mae", "better", champion=live("mae", low, high))["passed"] is passed


def test_before_the_first_release_there_is_nothing_to_be_worse_than() -> None:
    found = verdict("champion.roc_auc", "not worse")
    assert found["passed"]
    assert "no live model" in found["says"]


def test_a_live_model_that_cannot_be_asked_stops_a_model_and_says_how_to_go_on() -> None:
    champion: Champion = {
        "model_version": "m/3",
        "not_comparable": "it reads x",
        "may_know_rows": False,
        "rows": 500,
        "metrics": {},
    }
    found = verdict("champion.roc_auc", "not worse", champion=champion)
    assert not found["passed"]
    assert "it reads x" in found["says"]
    assert "Take the gate out" in found["says"]


@pytest.mark.parametrize("champion", [live("roc_auc", None, None), live("roc_auc", 0.1, 0.2, theirs=None)])
def test_what_is_not_defined_proves_nothing(champion: Champion) -> None:
    assert not verdict("champion.roc_auc", "not worse", champion=champion)["passed"]


def test_verdicts_are_in_the_order_of_the_gates() -> None:
    gates = {"recall": ">= 0.5", "accuracy": ">= 0.5"}
    assert [one["name"] for one in judge(gates, {"accuracy": 1.0, "recall": 0.0}, None)] == [*gates]
