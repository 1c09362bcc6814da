from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.gates import ChampionGate, Gate, names, parse
from contract.schema import Contract, Feature, Target


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
    ("condition", "champion", "low", "high", "passes"),
    [
        ("not worse", 0.9, -0.009, 0.0, True),
        ("not worse", 0.9, -0.0091, 0.02, False),
        ("not worse by 0.05", 0.9, -0.05, -0.01, True),
        ("not worse by 0.05", 0.9, -0.051, 0.2, False),
        (" not worse  by 2.5% ", 0.8, -0.02, 0.0, True),
        ("not worse by 2.5 %", 0.8, -0.0201, 0.0, False),
        ("better", 0.9, 0.001, 0.1, True),
        ("better", 0.9, 0.0, 0.1, False),
        ("better by 0.01", 0.9, 0.011, 0.1, True),
        ("better by 0.01", 0.9, 0.009, 0.1, False),
    ],
)
def test_a_challenger_is_held_to_the_bad_side_of_the_interval(
    condition: str, champion: float, low: float, high: float, passes: bool
) -> None:
    gate = parse("champion.roc_auc", condition)
    assert isinstance(gate, ChampionGate)
    assert gate.passes(champion, low, high) is passes


def test_of_errors_the_bad_side_is_the_upper() -> None:
    gate = parse("champion.rmse", "not worse by 1%")
    assert isinstance(gate, ChampionGate)
    assert gate.passes(100, -50, 1)
    assert not gate.passes(100, -50, 1.01)
    assert str(gate) == "champion.rmse: not worse by 1 %"


@pytest.mark.parametrize(
    "condition", ["", ">= 0.9", "not worse by", "not worse by -1", "worse", "better by 1 % or so"]
)
def test_other_claims_about_a_champion_are_refused(condition: str) -> None:
    with pytest.raises(ValueError, match="is not a condition such as 'not worse by"):
        parse("champion.roc_auc", condition)


def test_what_a_gate_may_name_follows_from_the_contract() -> None:
    closed = Feature(name="sex", type="category", values=("F", "M"), required=True)
    contract = Contract(
        model="m", problem="regression", target=Target(name="y"), features=(closed,), sensitive=("sex",)
    )
    found = set(names(contract))
    assert {
        "rmse",
        "champion.rmse",
        "fairness.sex.mae_difference",
        "serving.memory_mib",
        "importance.sex",
    } <= found
    assert not {name for name in found if name.startswith("robustness")}
    opened = replace(contract, features=(*contract.features, Feature(name="n", type="number")))
    assert {name for name in names(opened) if name.startswith("robustness")} == {
        "robustness.noise",
        "robustness.missing",
    }
