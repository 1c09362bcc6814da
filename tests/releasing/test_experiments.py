"""Assignment of units to versions, and what an A/B test says as labels arrive."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from releasing.assignment import assigned, sample_ratio_evidence
from releasing.experiments import Experiment, Plan, Result

PLAN = Plan(live="live", candidate="candidate", shares={"candidate": 0.5, "live": 0.5}, least_difference=0.05)


@given(st.text(), st.floats(0, 1))
def test_the_same_unit_goes_to_the_same_version(unit: str, share: float) -> None:
    shares = {"candidate": share, "live": 1 - share}
    first = assigned(unit, shares, salt="release-1")
    assert first == assigned(unit, shares, salt="release-1")
    assert first.probability == pytest.approx(shares[first.version])
    assert shares[first.version] > 0


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_where_a_share_grows_units_only_come(unit: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    if assigned(unit, {"candidate": small, "live": 1 - small}, salt="r").version == "candidate":
        assert assigned(unit, {"candidate": large, "live": 1 - large}, salt="r").version == "candidate"


def test_units_fall_by_shares_and_each_release_draws_anew() -> None:
    shares = {"candidate": 1.0, "live": 9.0}
    first = {unit: assigned(f"score/{unit}.csv", shares, salt="1").version for unit in range(5000)}
    counts = Counter(first.values())
    assert 420 < counts["candidate"] < 580
    again = [assigned(f"score/{unit}.csv", shares, salt="2").version for unit in range(5000)]
    both = sum(a == b == "candidate" for a, b in zip(first.values(), again, strict=True))
    assert both < 90, "about 1% of the units, were they independent"


def test_a_version_without_a_share_gets_nothing() -> None:
    assert assigned("x", {"candidate": 0, "live": 1}, salt="r").version == "live"
    with pytest.raises(ValueError, match="no version has a share"):
        assigned("x", {"candidate": 0, "live": 0}, salt="r")


def test_a_ratio_of_units_that_is_not_that_of_the_shares_is_seen() -> None:
    shares = {"candidate": 0.1, "live": 0.9}
    assert sample_ratio_evidence({"candidate": 103, "live": 897}, shares) < 0
    assert sample_ratio_evidence({"candidate": 160, "live": 840}, shares) > math.log(1000)
    assert sample_ratio_evidence({}, shares) == 0


def experiment(live: float, candidate: float, rows: int, seed: int = 1) -> Experiment:
    rng, running = np.random.default_rng(seed), Experiment(PLAN)
    for version, rate in (("live", live), ("candidate", candidate)):
        running.assign(version, rows)
        running.add(version, rng.binomial(1, rate, rows).tolist())
    return running


@pytest.mark.parametrize(
    ("live", "candidate", "rows", "result"),
    [
        (0.7, 0.85, 1000, Result.BETTER),
        (0.85, 0.7, 1000, Result.WORSE),
        (0.8, 0.8, 30_000, Result.SAME),
        (0.8, 0.82, 200, Result.OPEN),
        (0.8, 0.8, 0, Result.OPEN),
    ],
)
def test_an_experiment_says_when_there_is_enough(
    live: float, candidate: float, rows: int, result: Result
) -> None:
    running = experiment(live, candidate, rows)
    assert running.result is result
    assert running.difference.low <= candidate - live <= running.difference.high


def test_of_a_loss_less_is_better() -> None:
    plan = Plan(live="live", candidate="candidate", shares=PLAN.shares, lower_is_better=True)
    running = Experiment(
        plan, *(experiment(0.5, 0.3, 2000).__getattribute__(v) for v in ("live", "candidate"))
    )
    assert running.result is Result.BETTER


def test_without_a_difference_hardly_any_experiment_finds_one() -> None:
    found = [experiment(0.8, 0.8, 400, seed).result for seed in range(60)]
    assert sum(result in (Result.BETTER, Result.WORSE) for result in found) <= 3


def test_an_experiment_that_loses_units_is_broken() -> None:
    running = experiment(0.7, 0.85, 1000)
    running.assign("live", 300)
    assert running.result is Result.BROKEN


def test_an_experiment_goes_on_where_it_was_stopped() -> None:
    running = experiment(0.7, 0.85, 100)
    again = Experiment.from_json(json.loads(json.dumps(running.to_json())), PLAN)
    assert again == running
