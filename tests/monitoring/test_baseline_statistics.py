"""Statistics of drift from counts, held against scipy's from the values themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import distance

from monitoring.baseline import statistics
from monitoring.baseline.bins import CategoryBins, NumberBins, add
from monitoring.baseline.column_statistics import Measure

Floats = NDArray[np.float32]


def _measured(reference: Floats, window: Floats) -> dict[str, Any]:
    bins = NumberBins.of(reference)
    counts = bins.count(reference)
    return Measure.of(bins, counts, float(reference.std()))(counts, bins.count(window))


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.5])
def test_kolmogorov_smirnov_is_that_of_the_values(shift: float) -> None:
    random = np.random.default_rng(1)
    reference, window = random.normal(size=200_000), random.normal(shift, 1, 200_000)
    exact = stats.ks_2samp(reference, window).statistic
    found = _measured(reference.astype(np.float32), window.astype(np.float32))["ks"]
    assert found == pytest.approx(exact, abs=5e-4)
    assert found <= exact + 1e-6


def test_wasserstein_is_that_of_the_values_in_standard_deviations() -> None:
    random = np.random.default_rng(2)
    reference, window = random.uniform(0, 10, 50_000), random.uniform(1, 9, 50_000)
    exact = stats.wasserstein_distance(reference, window) / reference.std()
    found = _measured(reference.astype(np.float32), window.astype(np.float32))["wasserstein"]
    assert found == pytest.approx(exact, rel=0.01)


def test_of_few_values_both_are_exact() -> None:
    random = np.random.default_rng(3)
    reference = random.choice([0, 1, 2, 40], 5_000, p=[0.7, 0.1, 0.1, 0.1])
    window = random.choice([0, 1, 2, 40], 3_000, p=[0.5, 0.2, 0.1, 0.2])
    found = _measured(reference.astype(np.float32), window.astype(np.float32))
    assert found["ks"] == pytest.approx(stats.ks_2samp(reference, window).statistic)
    exact = stats.wasserstein_distance(reference, window) / reference.std()
    assert found["wasserstein"] == pytest.approx(exact, rel=1e-5)


COUNTS = arrays.arrays(np.int64, 6, elements=st.integers(0, 10_000)).filter(lambda counts: counts.sum() > 0)


@given(COUNTS, COUNTS)
def test_distances_of_counts_are_those_of_scipy(p: NDArray[np.int64], q: NDArray[np.int64]) -> None:
    smooth_p, smooth_q = p + 0.5, q + 0.5
    exact = distance.jensenshannon(smooth_p, smooth_q, base=2)
    assert statistics.jensen_shannon(p, q) == pytest.approx(exact, abs=1e-7)
    one, other = smooth_p / smooth_p.sum(), smooth_q / smooth_q.sum()
    divergence = stats.entropy(one, other) + stats.entropy(other, one)
    assert statistics.population_stability(p, q) == pytest.approx(divergence, abs=1e-9)
    shares = np.abs(p / p.sum() - q / q.sum()).sum() / 2
    assert statistics.total_variation(p, q) == pytest.approx(shares)


@given(COUNTS, COUNTS)
def test_chi_squared_is_that_of_the_table(p: NDArray[np.int64], q: NDArray[np.int64]) -> None:
    table = np.array([p, q])[:, (p + q) > 0]
    exact = stats.chi2_contingency(table, correction=False).statistic if table.shape[1] > 1 else 0
    assert statistics.chi_squared(p.astype(float), q.astype(float)) == pytest.approx(exact, abs=1e-6)


VALUES = arrays.arrays(
    np.float32, st.integers(0, 60), elements=st.floats(-5, 5, width=32) | st.just(float("nan"))
)


@given(VALUES, VALUES, VALUES)
def test_counts_of_windows_add_up(reference: Floats, one: Floats, other: Floats) -> None:
    bins = NumberBins.of(reference)
    together = add({"x": bins.count(one)}, {"x": bins.count(other)})["x"]
    assert together.tolist() == bins.count(np.concatenate([one, other])).tolist()
    assert together.sum() == len(one) + len(other)
    assert bins.count(reference)[[0, -2]].sum() == 0, "the reference is within its own range"


def test_what_is_beyond_missing_or_unknown_has_a_bin_of_its_own() -> None:
    numbers = NumberBins.of(np.array([1, 2, 3], np.float32))
    assert numbers.count(np.array([0, 1, 2, 2.5, 3, 4, np.nan], np.float32)).tolist() == [1, 1, 2, 1, 1, 1]
    texts = CategoryBins.of(np.array(["a", "b", "b", ""], object))
    assert texts.values == ("a", "b")
    assert texts.count(np.array(["b", "c", "", "a", "c"], object)).tolist() == [2, 1, 1, 1]


def test_a_column_without_a_value_is_counted_too() -> None:
    bins = NumberBins.of(np.full(5, np.nan, np.float32))
    found = Measure.of(bins, bins.count(np.full(5, np.nan)), 0.0)(np.array([0, 0, 5]), np.array([4, 0, 1]))
    assert found["psi"] > 0
    assert found["wasserstein"] == 0
