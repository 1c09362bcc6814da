"""The first screen answers what a person asks before approving: what, how good, better than now, worst where."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.training.report.examples import evaluation, facts, interval
from training.report.blocks import Pairs, Table
from training.report.facts import Facts
from training.report.summary import glance


def answers(given: Facts) -> dict[str, str]:
    [pairs] = [block for block in glance(given) if isinstance(block, Pairs)]
    return {term: str(answer) for term, answer in pairs.rows}


def champion(low: float | None, high: float | None, metric: str = "roc_auc") -> Any:
    difference = None if low is None or high is None else (low + high) / 2
    found = {"champion": 0.8, "challenger": 0.9, "difference": difference, "low": low, "high": high}
    return {"model_version": "g/1", "not_comparable": "", "metrics": {metric: found}}


def test_it_says_what_was_trained_on_what_and_how_good_it_is() -> None:
    said = answers(facts())
    assert said["Trained"] == (
        "hist-gradient-boosting on 26,049 rows of 4 features (dataset cccccccccccc), the best of 4 trials"
    )
    assert said["Measured"] == "roc_auc 0.9000 (0.8900 to 0.9100), higher is better, on 6,512 rows held out"
    assert said["The data"] == "1 warning: duplicates"


@pytest.mark.parametrize(
    ("metric", "low", "high", "said"),
    [
        ("roc_auc", 0.05, 0.15, "better"),
        ("roc_auc", -0.15, -0.05, "worse"),
        ("roc_auc", -0.01, 0.05, "no difference that these rows can tell"),
        ("log_loss", 0.05, 0.15, "worse"),
        ("log_loss", -0.15, -0.05, "better"),
    ],
)
def test_it_is_better_or_worse_than_the_live_one_where_the_whole_interval_is(
    metric: str, low: float, high: float, said: str
) -> None:
    slices = {**evaluation("binary")["slices"], "metric": metric}
    told = answers(facts(champion=champion(low, high, metric), slices=slices))["Beside the live model"]
    assert told.startswith(f"{said}: {metric} 0.9000 against 0.8000 of g/1, which is {low:+.4f} to ")


def test_where_nothing_was_compared_it_says_why() -> None:
    assert answers(facts(champion=None))["Beside the live model"] == "no version was live when this run began"
    other = {"model_version": "g/1", "not_comparable": "it predicts 'x'", "metrics": {}}
    assert (
        answers(facts(champion=other))["Beside the live model"]
        == "not to be compared with g/1: it predicts 'x'"
    )
    undefined = answers(facts(champion=champion(None, None)))["Beside the live model"]
    assert undefined == "roc_auc of g/1 is not defined on these rows"


def test_the_worst_slice_is_a_part_of_the_rows_and_has_a_value() -> None:
    slices = evaluation("binary")["slices"]
    whole = {"feature": "zero", "slice": "0", "rows": 6512, **interval(0.1)}
    changed = {**slices, "worst_first": [whole, *slices["worst_first"]]}
    told = answers(facts(slices=changed))["Worst slice"]
    assert told == "age: [5, 10), roc_auc 0.5200 (0.4700 to 0.5700) in 31 rows"
    assert answers(facts(slices={**slices, "worst_first": [whole]}))["Worst slice"].startswith("none has")


def test_a_gate_without_a_value_says_what_it_means() -> None:
    gate = {"gate": "", "name": "champion.roc_auc", "condition": "not worse", "value": None, "passed": True}
    given = facts(gates=[{**gate, "says": "champion.roc_auc: there is no live model to compare with"}])
    [table] = [block for block in glance(given) if isinstance(block, Table)]
    assert table.rows[0][-1] == "there is no live model to compare with"


def test_of_data_that_nothing_warns_of_nothing_is_said() -> None:
    assert "The data" not in answers(dataclasses.replace(facts(), validation=None))
