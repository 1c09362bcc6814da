from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.gates import Gate, missed


@pytest.mark.parametrize(
    ("condition", "passing", "failing"),
    [
        (">= 0.88", 0.88, 0.87),
        ("<=.5", 0.5, 0.51),
        (" > 1e-3 ", 0.002, 0.001),
        ("< -2", -2.5, -2),
    ],
)
def test_conditions_compare(condition: str, passing: float, failing: float) -> None:
    gate = Gate.parse("metric", condition)
    assert gate.passes(passing)
    assert not gate.passes(failing)
    assert not gate.passes(math.nan)


@pytest.mark.parametrize("condition", ["", "0.9", "=> 0.9", ">= high", ">= 0.9 or so", "== 1", ">="])
def test_other_conditions_are_refused(condition: str) -> None:
    with pytest.raises(ValueError, match=r"is not a condition such as '>= 0\.88'"):
        Gate.parse("metric", condition)


@given(st.sampled_from(["<", "<=", ">", ">="]), st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_can_be_a_limit(comparison: str, limit: float) -> None:
    assert Gate.parse("metric", f"{comparison} {limit!r}").limit == limit


@pytest.mark.parametrize(
    ("metrics", "sentences"),
    [
        ({"roc_auc": 0.9, "f1": 0.5}, []),
        ({"roc_auc": 0.12345, "f1": 0.5}, ["roc_auc is 0.1235 and must be >= 0.9"]),
        ({"roc_auc": 0.9, "f1": math.nan}, ["f1 is nan and must be > 0.4"]),
    ],
)
def test_each_missed_gate_is_a_sentence(metrics: Mapping[str, float], sentences: list[str]) -> None:
    assert missed({"roc_auc": ">= 0.9", "f1": "> 0.4"}, metrics) == sentences
