"""docs/validation.md lists every check with its level and limit, and its example is a valid one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from contract.checks import CHECKS
from infra.settings.validation import RuleSettings, compiled_rules, rule_problems
from training.validation.verdicts import MEASURES

SIDE = {"minimum": "at least ", "maximum": "at most "}


@pytest.fixture
def page() -> str:
    return (Path(__file__).parents[3] / "docs" / "validation.md").read_text()


def test_every_check_is_documented_with_its_level_and_limit(page: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*?) ?\| .+ \|$", page, flags=re.M)
    assert rows == [
        (
            check.name,
            check.level,
            f"{SIDE[check.bound]}{check.limit:g}" if check.bound else "",
        )
        for check in CHECKS
    ]


def test_every_check_is_made() -> None:
    assert set(MEASURES) == {check.name for check in CHECKS}


def test_the_example_says_what_model_toml_takes(page: str) -> None:
    example = tomllib.loads(page.partition("```toml\n")[2].partition("```")[0])["validation"]
    rules = {name: RuleSettings(**rule) for name, rule in example.items()}
    assert list(rule_problems(rules)) == []
    compiled = compiled_rules(rules)
    assert (compiled["duplicates"].level, compiled["duplicates"].limit) == ("stop", 0.2)
    assert compiled["codes"].level == "off"
