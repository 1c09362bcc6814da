from __future__ import annotations

import math

import pytest

from contract.threshold import AtLeast, Best, Costs, Fixed, parse


@pytest.mark.parametrize(
    ("setting", "rule", "text"),
    [
        (0.5, Fixed(0.5), "0.5"),
        ({"rule": "f1"}, Best("f1"), "best f1"),
        ({"rule": "youden"}, Best("youden"), "best youden"),
        ({"rule": "recall", "at_least": 0.9}, AtLeast("recall", 0.9), "recall of at least 0.9"),
        ({"at_least": 1, "rule": "precision"}, AtLeast("precision", 1.0), "precision of at least 1"),
        (
            {"false_positive": 1, "false_negative": 5},
            Costs(1.0, 5.0),
            "least cost, 1 a false positive and 5 a false negative",
        ),
    ],
)
def test_settings_are_rules(setting: object, rule: object, text: str) -> None:
    assert parse(setting) == rule
    assert str(parse(setting)) == text


@pytest.mark.parametrize(
    "setting",
    [
        0,
        1,
        True,
        math.nan,
        "f1",
        None,
        {},
        {"rule": "recall"},
        {"rule": "f1", "at_least": 0.5},
        {"rule": "auc"},
        {"rule": ["f1"]},
        {"rule": "recall", "at_least": 0},
        {"rule": "recall", "at_least": 90},
        {"rule": "recall", "at_least": "0.9"},
        {"false_positive": 1},
        {"false_positive": 0, "false_negative": 1},
        {"false_positive": 1, "false_negative": math.inf},
        {"false_positive": 1, "false_negative": 5, "rule": "f1"},
    ],
)
def test_other_settings_are_refused(setting: object) -> None:
    with pytest.raises(ValueError, match="is not a number between 0 and 1, "):
        parse(setting)
