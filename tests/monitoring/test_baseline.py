"""The baseline's document, its thresholds, and what they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from container.errors import PlatformError
from monitoring.baseline import Baseline, add, drift, threshold
from monitoring.baseline.bin_weights import discount, of_category, of_number
from monitoring.baseline.build import reference
from monitoring.baseline.null_distribution import WINDOWS
from monitoring.baseline.resampling import RESAMPLES, windows

ROWS = 2_000


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    random = np.random.default_rng(1)
    draws = windows(WINDOWS, ROWS, random)
    age = random.normal(40, 10, ROWS).astype(np.float32)
    work = random.choice(np.array(["private", "state", ""], object), ROWS, p=[0.7, 0.2, 0.1])
    score = random.beta(1, 3, ROWS).astype(np.float32)
    features = {"age": reference(age, age[:0], draws), "work": reference(work, work[:0], draws)}
    return Baseline(features, {"probability": reference(score, score[:0], draws)})


def test_a_document_says_all_of_a_baseline(baseline: Baseline) -> None:
    text = baseline.to_json()
    again = Baseline.from_json(text)
    assert again.to_json() == text
    window = {name: known.counts for name, known in baseline.columns.items()}
    assert drift(again, window).keys() == {"age", "work", "probability"}
    for name in baseline.columns:
        for statistic in baseline.columns[name].nulls[1_000].tails:
            thresholds = [threshold(b, statistic, name, 3_000, 0.01) for b in (baseline, again)]
            assert thresholds[0] == pytest.approx(thresholds[1], rel=1e-3)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"format": 1}', '{"format": 2, "features": [], "predictions": {}}']
)
def test_what_is_no_baseline_is_the_platforms_fault(text: str) -> None:
    with pytest.raises(PlatformError):
        Baseline.from_json(text)


def test_thresholds_fall_with_the_rate_and_with_the_window(baseline: Baseline) -> None:
    for statistic in ("ks", "psi", "js", "wasserstein"):
        by_rate = [threshold(baseline, statistic, "age", 1_000, rate) for rate in (1e-6, 0.001, 0.01, 0.2)]
        by_rows = [threshold(baseline, statistic, "age", rows, 0.01) for rows in (100, 500, 2_000, 50_000)]
        assert by_rate == sorted(by_rate, reverse=True)
        assert by_rows == sorted(by_rows, reverse=True)


@pytest.mark.parametrize(("rows", "rate"), [(99, 0.01), (1_000, 0.6), (1_000, 1e-9)])
def test_there_is_no_threshold_for_what_is_not_known(baseline: Baseline, rows: int, rate: float) -> None:
    with pytest.raises(ValueError, match=r"rows|rate"):
        threshold(baseline, "ks", "age", rows, rate)


def test_the_threshold_of_kolmogorov_smirnov_is_that_of_two_samples(baseline: Baseline) -> None:
    for rows in (200, 2_000, 20_000):
        apart = np.sqrt((ROWS + rows) / (ROWS * rows))
        exact = float(stats.kstwobign.isf(0.05)) * apart
        assert threshold(baseline, "ks", "age", rows, 0.05) == pytest.approx(exact, rel=0.1)


def test_a_window_of_too_few_rows_is_measured_and_not_judged(baseline: Baseline) -> None:
    counts = baseline.count({"age": np.full(50, 500.0), "unheard of": np.zeros(50)})
    found = drift(baseline, counts)
    assert found.keys() == {"age"}
    assert found["age"].statistics["ks"] == pytest.approx(1)
    assert not found["age"].drifted
    assert drift(baseline, add(counts, counts))["age"].exceeded
    assert found["age"].unknown == (0, 1)


def test_windows_hold_their_rows_in_bins_as_large_as_they_should_be() -> None:
    shares = np.array([0.001, 0.2, 0.3, 0.01, 0.489])
    for rows, draws in windows((100, 10_000), 500, np.random.default_rng(2)).items():
        counts = draws.counts(shares)
        assert counts.shape == (RESAMPLES, 5)
        assert counts.sum(axis=1) == pytest.approx(rows, rel=0.01)
        assert counts.mean(axis=0) / rows == pytest.approx(shares, abs=3e-3)
        # Of a Dirichlet-multinomial: what the rows come from varies as well.
        expected = shares * (1 - shares) * rows * (rows + 500) / 501
        assert counts.var(axis=0)[1:] == pytest.approx(expected[1:], rel=0.15)


@pytest.mark.parametrize("sample", [20, 45])
def test_a_small_sample_may_come_from_almost_anything(sample: int) -> None:
    for seed in range(6):
        for rows, draws in windows((100, 10_000), sample, np.random.default_rng(seed)).items():
            counts = draws.counts(np.array([1, sample - 2, 1]))
            assert np.all(counts >= 0)
            assert counts.sum(axis=1) == pytest.approx(rows, rel=0.05)


@pytest.mark.parametrize(
    ("times", "least", "most"),
    [([200, 200], 0, 0), ([1] * 50, 0.99, 0.99), ([160, 80, 60, 40, 32, 20, 6, 2], 0, 0.1), ([], 0, 0)],
)
def test_what_is_seen_often_is_seen_rightly(times: list[int], least: float, most: float) -> None:
    assert least <= discount(np.array(times, np.int64)) <= most


def test_the_discount_of_a_power_law_is_its_exponent() -> None:
    random = np.random.default_rng(3)
    shares = 1 / np.arange(1, 100_000) ** (1 / 0.7)
    times = random.multinomial(5_000, shares / shares.sum())
    assert discount(times[times > 0]) == pytest.approx(0.7, abs=0.1)


def test_bins_that_a_sample_leaves_empty_weigh_something() -> None:
    number = np.array([1, 2, 2, 3, 3], np.float32)
    # Below 1, the values 1, 2 and 3, above 3, missing.
    assert of_number(np.array([0, 1, 2, 2, 0, 0]), number).tolist() == [1, 1, 2, 2, 0.5, 0.5]
    category = np.array(["a", "a", "a", "b", "b", "b"], object)
    assert of_category(np.array([0, 3, 3, 0]), category).tolist() == [0.5, 3, 3, 0.5]
