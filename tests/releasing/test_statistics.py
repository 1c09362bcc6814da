"""The formulas under the judge, against simulation, closed forms and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta

from releasing import bounds, predictions
from releasing.paired import Changes, Discordant, exact_interval, mean_interval
from releasing.share_tests import RatioTest, WorseTest
from releasing.value_counts import events

EVEN = [0.1] * 10


@pytest.mark.parametrize(("seen", "of"), [(0, 300), (1, 20), (7, 1000), (50, 100), (20, 20), (0, 1)])
def test_exact_intervals_are_clopper_and_pearsons(seen: int, of: int) -> None:
    low = beta.ppf(0.025, seen, of - seen + 1) if seen else 0.0
    high = beta.ppf(0.975, seen + 1, of - seen) if seen < of else 1.0
    assert list(exact_interval(seen, of)) == pytest.approx([low, high], abs=1e-6)


def test_nothing_seen_says_nothing() -> None:
    assert exact_interval(0, 0) == (0.0, 1.0)
    assert mean_interval(0, 0, 0) == (-math.inf, math.inf)
    assert bounds.upper({}, 0.05) == 1.0
    assert bounds.lower({}, 0.05) == 0.0


@pytest.mark.parametrize("rate", [0.002, 0.05, 0.5])
def test_bounds_of_a_mean_hold_at_every_look(rate: float) -> None:
    """Looked at after each of 30 batches, 200 streams: wrong in 5% of them at most, on either side.

    A bound excludes the rate where there is evidence of 1/α against it.
    """
    rng, limit = np.random.default_rng(1), math.log(1 / 0.05)
    wrong = dict.fromkeys((bounds.against_at_least, bounds.against_at_most), 0)
    for _ in range(200):
        seen = np.cumsum(rng.binomial(50, rate, 30))
        looks = [events(50 * (i + 1), int(hits)) for i, hits in enumerate(seen)]
        for against in wrong:
            wrong[against] += any(against(rate, each) >= limit for each in looks)
    assert max(wrong.values()) <= 10


def test_a_bound_is_where_the_evidence_is_enough() -> None:
    seen = events(500, 12)
    assert bounds.against_at_least(bounds.upper(seen, 0.05), seen) == pytest.approx(math.log(20), abs=0.01)
    assert bounds.against_at_most(bounds.lower(seen, 0.05), seen) == pytest.approx(math.log(20), abs=0.01)


def test_bounds_close_in_on_the_mean() -> None:
    many = events(100_000, 2000)
    assert 0.0183 < bounds.lower(many, 0.05) < 0.02 < bounds.upper(many, 0.05) < 0.022


def test_what_falls_as_requests_do_is_no_evidence() -> None:
    test = WorseTest()
    for _ in range(100):
        test.add(events(20, 1), events(180, 9))
    assert test.evidence < math.log(20)


def test_the_ratio_test_shows_a_ratio_that_is_kept_and_no_other() -> None:
    kept, missed = RatioTest(2.0), RatioTest(2.0)
    for _ in range(60):
        kept.add(events(20, 1), events(180, 9))
        missed.add(events(20, 2), events(180, 9))
    assert kept.evidence > math.log(20) > 0 > missed.evidence
    again = RatioTest.from_json(kept.to_json())
    assert again == kept


def test_predictions_as_expected_are_no_evidence_and_pass() -> None:
    rng = np.random.default_rng(2)
    counts = rng.multinomial(2000, EVEN).tolist()
    assert predictions.evidence(counts, EVEN) < 0
    assert predictions.distance_bound(counts, EVEN, looks=60, alpha=0.05) < 0.2


def test_up_to_the_tolerance_predictions_may_be_anything() -> None:
    """All of what is tolerated in one bin is still within the null, however many there are."""
    shifted = [0.9 * share for share in EVEN]
    shifted[0] += 0.1
    assert predictions.evidence([share * 1_000_000 for share in shifted], EVEN, tolerance=0.1) < 0
    assert predictions.evidence([share * 1_000_000 for share in shifted], EVEN, tolerance=0.05) > 100


def test_a_bin_that_nothing_was_expected_in_is_evidence() -> None:
    counts = [0.0] * 9 + [50.0]
    expected = [*([1 / 9] * 9), 0.0]
    assert predictions.evidence(counts, expected) > math.log(1000)


def test_no_predictions_are_no_evidence_and_no_pass() -> None:
    assert predictions.evidence([0] * 10, EVEN) == 0
    assert predictions.distance_bound([0] * 10, EVEN, looks=1, alpha=0.05) == 1


def test_the_evidence_of_predictions_is_an_e_value() -> None:
    """At the edge of the null its mean is at most 1."""
    rng = np.random.default_rng(3)
    edge = [0.9 * share for share in EVEN]
    edge[3] += 0.1
    draws = rng.multinomial(200, edge, 4000).tolist()
    assert np.mean([math.exp(predictions.evidence(counts, EVEN)) for counts in draws]) < 1


def test_what_is_expected_follows_what_production_is_of() -> None:
    """Replay: low live scores are low for the candidate, high ones high. Now most requests are low."""
    pairs = [[90.0, 10.0], [0.0, 100.0]]
    assert predictions.expected_of([50, 50], pairs) == pytest.approx([0.45, 0.55])
    assert predictions.expected_of([100, 0], pairs) == pytest.approx([0.9, 0.1])
    assert predictions.expected_of([0, 0], pairs) == [0.5, 0.5]
    assert predictions.expected_of([0, 10], [[3, 1], [0, 0]]) == pytest.approx([0.75, 0.25])


def test_pairs_in_which_both_fail_say_nothing() -> None:
    same, worse = Discordant(), Discordant()
    same.add(candidate=10, live=10)
    worse.add(candidate=12, live=0)
    assert same.evidence < 0
    assert worse.evidence > math.log(20)
    assert Discordant().evidence == pytest.approx(0)


def test_changed_decisions_are_bounded_at_every_look() -> None:
    changes = Changes()
    changes.add(pairs=1000, changed=20)
    low, high = changes.bounds(0.05)
    assert 0.008 < low < 0.02 < high < 0.04
    assert Changes.from_json(changes.to_json()) == changes


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    shifts = np.random.default_rng(4).normal(0.1, 1, 400)
    margin = 1.959964 * shifts.std() / 20
    found = mean_interval(shifts.sum(), (shifts**2).sum(), 400)
    assert list(found) == pytest.approx([shifts.mean() - margin, shifts.mean() + margin])
