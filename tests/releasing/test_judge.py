"""The judge of a candidate: its rates of error by simulation, and its answers to single cases."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest

from benchmarks.suites.releases import EXPECTED, SCENARIOS, Outcome, Rates, Scenario, outcomes, share
from releasing import value_counts
from releasing.judge import FAIL_ALPHA, Judge, Limits, Metric, Rules, Tally
from releasing.verdicts import Verdict

NAMED = {scenario.name: scenario for scenario in SCENARIOS}
ERRORS = Rules(limits={Metric.ERRORS: Limits(margin=0.01)})


@cache
def simulated(name: str, trials: int, minutes: int, *until: Verdict) -> list[Outcome]:
    return outcomes(replace(NAMED[name], minutes=minutes), trials, until=until or (Verdict.FAIL,))


def errors_judge(*minutes: tuple[int, int, int, int]) -> Judge:
    """A judge of errors alone, after minutes of (requests, errors) of the candidate and of the live version."""
    judge = Judge(ERRORS)
    for requests, errors, live_requests, live_errors in minutes:
        judge.add(Tally(requests=requests, errors=errors), Tally(requests=live_requests, errors=live_errors))
    return judge


def test_the_alpha_of_all_metrics_is_that_of_a_release() -> None:
    assert sum(FAIL_ALPHA.values()) == pytest.approx(0.05)


def test_without_a_difference_one_release_in_twenty_at_most_is_rolled_back() -> None:
    """Type I error, looked at each minute for an hour and more: by design 5%, less by Ville's inequality."""
    for name in ("no difference", "no difference, 2% errors"):
        assert share(simulated(name, 60, 100), Verdict.FAIL) <= 0.05


@pytest.mark.parametrize(
    ("name", "minutes", "within"),
    [
        ("errors ×3", 480, 200),
        ("errors ×10", 120, 25),
        ("only errors", 10, 1),
        ("every answer slow", 10, 1),
        ("slow answers ×3", 60, 12),
        ("rejected rows ×3", 120, 45),
        ("30% of predictions shifted", 120, 45),
        ("half of predictions shifted", 60, 12),
    ],
)
def test_a_worse_candidate_is_found_in_the_stated_time(name: str, minutes: int, within: int) -> None:
    """Power: nearly every one in the end, and half of them within so many minutes."""
    found = simulated(name, 24, minutes)
    assert share(found, Verdict.FAIL) >= 0.9
    assert share(found, Verdict.FAIL, within=within) >= 0.5


def test_a_healthy_candidate_passes_within_the_hour() -> None:
    """At 0.2% errors, 200 requests a minute and a tenth of them."""
    found = simulated("no difference", 40, 60, Verdict.FAIL, Verdict.PASS)
    assert share(found, Verdict.PASS) >= 0.85


def test_a_candidate_that_is_worse_by_the_margin_hardly_ever_passes() -> None:
    scenario = Scenario(name="worse", candidate=Rates(errors=0.013), live=Rates(errors=0.002), minutes=120)
    found = outcomes(scenario, 40, until=(Verdict.PASS,))
    assert share(found, Verdict.PASS) <= 0.05


@pytest.mark.parametrize("requests", [1, 3, 30])
def test_one_error_of_few_requests_rolls_back_nothing(requests: int) -> None:
    assert errors_judge((requests, 1, 0, 0)).judge().verdict is Verdict.INCONCLUSIVE
    assert errors_judge((requests, 1, 9 * requests, 0)).judge().verdict is Verdict.INCONCLUSIVE


def test_a_fleet_that_answers_only_errors_fails_at_the_first_look() -> None:
    assert errors_judge((20, 20, 180, 0)).judge().verdict is Verdict.FAIL
    assert errors_judge((6, 6, 0, 0)).judge().verdict is Verdict.FAIL, "also where nothing else serves"


def test_no_traffic_is_inconclusive() -> None:
    judge = errors_judge(*[(0, 0, 200, 1)] * 480)
    [finding] = judge.judge().findings
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.says == "errors: no request of the candidate was measured"


def test_about_300_clean_requests_show_less_than_a_percentage_point() -> None:
    def passes(requests: int) -> bool:
        return errors_judge((requests, 0, 9 * requests, 0)).judge().verdict is Verdict.PASS

    assert not passes(300)
    assert passes(360)


def test_a_bad_hour_of_both_versions_is_not_the_candidates() -> None:
    """What a deployment that looks at one version alone takes for a bad release."""
    judge = errors_judge(*[(20, 6, 180, 54)] * 30)
    assert judge.judge().findings[0].evidence < 1


def test_where_nothing_else_serves_errors_are_held_against_a_ceiling() -> None:
    assert errors_judge(*[(100, 18, 0, 0)] * 30).judge().findings[0].evidence < 1
    assert errors_judge(*[(100, 30, 0, 0)] * 3).judge().verdict is Verdict.FAIL


def test_a_judge_goes_on_where_it_was_stopped() -> None:
    """A function that looks each minute keeps nothing but a document."""
    rules = Rules(expected=EXPECTED)
    whole, stopped = Judge(rules), Judge(rules)
    minute = Tally(
        requests=20,
        errors=1,
        slow=2,
        rejected={0.0: 18, 0.5: 1, 1.0: 1},
        predictions=[2.0, 3.5, 1, 2, 2, 2, 2, 2, 2, 1.5],
    )
    for _ in range(5):
        for judge in (whole, stopped):
            judge.add(minute, replace(minute, requests=180))
            judge.judge()
        stopped = Judge.from_json(json.loads(json.dumps(stopped.to_json())), rules)
    assert stopped.judge() == whole.judge()
    json.dumps(whole.judge().to_json())


def test_each_step_is_passed_by_itself_and_evidence_of_harm_stays() -> None:
    judge = errors_judge((2000, 0, 18_000, 0))
    assert judge.judge().verdict is Verdict.PASS
    judge.begin_step()
    assert judge.judge().verdict is Verdict.INCONCLUSIVE
    harmed = errors_judge(*[(20, 1, 180, 0)] * 2)
    before = harmed.judge().findings[0].evidence
    harmed.begin_step()
    harmed.add(Tally(requests=20, errors=1), Tally(requests=180))
    assert harmed.judge().findings[0].evidence > before


def test_a_share_of_rows_counts_as_a_share_of_a_request() -> None:
    """An upload of a thousand bad rows is one bad upload, not a thousand bad requests."""
    rules = Rules(limits={Metric.REJECTED: Limits(margin=0.03, ratio=3.0)})
    judge = Judge(rules)
    judge.add(Tally(rejected={1.0: 1}), Tally(rejected={0.0: 9}))
    assert judge.judge().verdict is Verdict.INCONCLUSIVE
    for _ in range(60):
        judge.add(Tally(rejected={0.5: 1}), Tally(rejected={0.0: 9}))
    assert judge.judge().verdict is Verdict.FAIL


def test_a_finding_says_both_numbers_and_what_follows() -> None:
    judge = errors_judge((1000, 50, 9000, 9))
    assert judge.judge().findings[0].says == (
        "errors: 5.00% of 1000 requests answered by an error against 0.10%: worse"
    )


def test_values_are_kept_by_how_wrong_they_are() -> None:
    both = value_counts.added(value_counts.events(10, 3), {0.5: 2})
    assert value_counts.size(both) == 12
    assert value_counts.mean(both) == pytest.approx(4 / 12)
    assert value_counts.from_json(json.loads(json.dumps(value_counts.to_json(both)))) == both
    assert value_counts.mean({}) is None
