"""What a Choice state compares."""

from __future__ import annotations

import pytest
from ministack.services import stepfunctions as sfn

from local.cloud.stepfunctions.state_machines import _comparing_paths

evaluate = _comparing_paths(sfn._evaluate_rule)


@pytest.mark.parametrize(
    ("one", "operator", "other", "expected"),
    [
        ("b", "StringGreaterThanEqualsPath", "a", True),
        ("a", "StringGreaterThanEqualsPath", "a", True),
        ("a", "StringGreaterThanEqualsPath", "b", False),
        ("a", "StringLessThanPath", "b", True),
        ("a", "StringEqualsPath", "a", True),
        (1, "StringGreaterThanPath", "a", False),
        ("2026-01-01T00:00:01Z", "TimestampGreaterThanPath", "2026-01-01T00:00:00Z", True),
        (2, "NumericGreaterThanPath", 1, True),
    ],
)
def test_a_value_is_compared_with_that_of_another_path(
    one: object, operator: str, other: object, expected: bool
) -> None:
    rule = {"Variable": "$.one", operator: "$.other"}
    assert evaluate(rule, {"one": one, "other": other}) is expected
