"""Replay: pairs of answers to the same rows."""

from __future__ import annotations

from typing import Any

import pytest

from releasing.replay import Comparison, Limits, compare
from releasing.verdicts import Verdict

REJECTED = {"rejected": [{"code": "not_a_number", "column": "age", "message": "…"}]}


def binary(prediction: str, probability: float) -> dict[str, Any]:
    return {"prediction": prediction, "probability": probability}


def compared(pairs: list[tuple[dict[str, Any], dict[str, Any]]], **limits: float) -> Comparison:
    return compare(pairs, Limits(**limits))


def test_the_same_answers_are_no_change() -> None:
    found = compared([(binary("yes", 0.8), binary("yes", 0.8))] * 300, changed_decisions=0.05)
    assert found.changed_decisions.value == found.new_rejections.value == found.score_shift.value == 0
    assert found.changed_decisions.high < 0.0125
    assert found.verdict is Verdict.PASS


def test_changed_decisions_are_held_against_their_limit_by_the_interval() -> None:
    same, other = (binary("yes", 0.8), binary("yes", 0.8)), (binary("yes", 0.8), binary("no", 0.2))
    verdicts = {
        changed: compared([other] * changed + [same] * (1000 - changed), changed_decisions=0.05).verdict
        for changed in (30, 50, 100)
    }
    assert verdicts == {30: Verdict.PASS, 50: Verdict.INCONCLUSIVE, 100: Verdict.FAIL}


def test_only_rows_that_live_scored_can_be_rejected_anew() -> None:
    scored = (binary("yes", 0.8), binary("yes", 0.8))
    pairs = [scored] * 80 + [(REJECTED, REJECTED)] * 10 + [(binary("yes", 0.8), REJECTED)] * 10
    found = compared(pairs, new_rejections=0.02)
    assert found.new_rejections.pairs == 90
    assert found.new_rejections.value == pytest.approx(10 / 90)
    assert found.changed_decisions.pairs == 80
    assert found.verdict is Verdict.FAIL


def test_scores_may_shift_either_way() -> None:
    lower = [(binary("yes", 0.8), binary("yes", 0.6 + 0.001 * (i % 3))) for i in range(100)]
    found = compared(lower, score_shift=0.1)
    assert found.score_shift.value == pytest.approx(-0.199, abs=0.001)
    assert found.verdict is Verdict.FAIL
    assert compared(lower, score_shift=0.25).verdict is Verdict.PASS


def test_the_score_of_several_classes_is_the_highest_probability_and_of_a_number_itself() -> None:
    classes = {"prediction": "b", "probability_a": 0.1, "probability_b": 0.9}
    assert compared([(classes, {**classes, "probability_b": 0.7})]).score_shift.value == pytest.approx(-0.2)
    numbers = ({"prediction": 10.0}, {"prediction": 10.4})
    assert compared([numbers]).changed_decisions.value == 1
    assert compared([numbers], same_number=0.5).changed_decisions.value == 0
    assert compared([numbers]).score_shift.value == pytest.approx(0.4)


def test_nothing_to_replay_is_no_pass() -> None:
    assert compared([]).verdict is Verdict.INCONCLUSIVE
    assert compared([], changed_decisions=0.05).verdict is Verdict.INCONCLUSIVE
