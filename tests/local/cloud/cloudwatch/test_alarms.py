"""The tables of "Configuring how CloudWatch alarms treat missing data": 0 in order, X breaching, - missing."""

from __future__ import annotations

import pytest

from local.cloud.cloudwatch.alarms import Missing, Rule, State, evaluate

KEPT = State.INSUFFICIENT_DATA  # the state before, in every case below


def state(points: str, treat: Missing, needed: int) -> State:
    rule = Rule(
        threshold=0.5,
        comparison="GreaterThanThreshold",
        evaluation_periods=3,
        datapoints_to_alarm=needed,
        treat_missing_data=treat,
    )
    values = {"0": 0.0, "X": 1.0, "-": None}
    return evaluate(rule, [values[point] for point in points.split()], KEPT).state


TREATMENTS = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)
OK, ALARM = State.OK, State.ALARM


@pytest.mark.parametrize(
    ("points", "states"),
    [
        ("0 - X - X", (OK, OK, OK, OK)),
        ("0 - - - -", (OK, OK, OK, OK)),
        ("- - - - -", (State.INSUFFICIENT_DATA, KEPT, ALARM, OK)),
        ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_three_of_three(points: str, states: tuple[State, ...]) -> None:
    assert tuple(state(points, treat, needed=3) for treat in TREATMENTS) == states


@pytest.mark.parametrize(
    ("points", "states"),
    [
        ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
        ("0 - X - -", (OK, OK, ALARM, OK)),
        ("- - - - 0", (OK, OK, ALARM, OK)),
        ("- - - X -", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_two_of_three(points: str, states: tuple[State, ...]) -> None:
    assert tuple(state(points, treat, needed=2) for treat in TREATMENTS) == states


@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_no_premature_alarm(points: str) -> None:
    assert state(points, Missing.MISSING, needed=3) is not ALARM


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [3]),
        ("GreaterThanOrEqualToThreshold", [2, 3]),
        ("LessThanThreshold", [1]),
        ("LessThanOrEqualToThreshold", [1, 2]),
    ],
)
def test_comparisons(comparison: str, breaching: list[int]) -> None:
    rule = Rule(threshold=2, comparison=comparison)
    assert [value for value in (1, 2, 3) if rule.breaches(value)] == breaching


def test_the_reason_tells_values_and_threshold() -> None:
    rule = Rule(threshold=2, comparison="GreaterThanThreshold")
    assert "1 out of the last 1 datapoints [3] were greater than the threshold (2)" in (
        evaluate(rule, [None, None, 3.0], OK).reason
    )


def test_an_unknown_comparison_is_refused() -> None:
    with pytest.raises(ValueError, match="GreaterThanUpperThreshold"):
        Rule(threshold=1, comparison="GreaterThanUpperThreshold")
