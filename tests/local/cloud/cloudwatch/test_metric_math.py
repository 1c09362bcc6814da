from __future__ import annotations

import pytest

from local.cloud.cloudwatch.metric_math import UnsupportedExpressionError, check, evaluate

PERIODS = [0, 60, 120]
SERIES = {"a": {0: 1.0, 60: 2.0}, "b": {60: 4.0, 120: 0.0}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", {60: 6.0}),
        ("100 * a / (a + b)", {60: 100 / 3}),
        ("a / b", {60: 0.5}),
        ("b / b", {60: 1.0}),
        ("-a", {0: -1.0, 60: -2.0}),
        ("a > 1", {0: 0.0, 60: 1.0}),
        ("a > 1 && b > 3", {60: 1.0}),
        ("FILL(a, 0)", {0: 1.0, 60: 2.0, 120: 0.0}),
        ("FILL(a, REPEAT)", {0: 1.0, 60: 2.0, 120: 2.0}),
        ("FILL(a, b)", {0: 1.0, 60: 2.0, 120: 0.0}),
        ("IF(a > 1, b)", {60: 4.0}),
        ("IF(a > 1, b, 7)", {0: 7.0, 60: 4.0}),
        ("SUM([a, b])", {0: 1.0, 60: 6.0, 120: 0.0}),
        ("MAX([a, b])", {0: 1.0, 60: 4.0, 120: 0.0}),
        ("5", {0: 5.0, 60: 5.0, 120: 5.0}),
    ],
)
def test_series_are_combined_period_by_period(expression: str, expected: dict[int, float]) -> None:
    assert evaluate(expression, SERIES, PERIODS) == pytest.approx(expected)


@pytest.mark.parametrize("expression", ["RATE(a)", "a +", "c * 2", "__import__('os')", "a.b"])
def test_what_is_not_evaluated_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedExpressionError):
        check(expression, ["a", "b"])
