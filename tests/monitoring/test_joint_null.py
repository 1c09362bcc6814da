"""All columns of a window together: one p-value, uniform where nothing has changed."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from metrics.evidence import e_values
from monitoring.baseline import Baseline
from monitoring.baseline.build import reference
from monitoring.baseline.document import Reference
from monitoring.baseline.joint_null import simulate
from monitoring.baseline.joint_quantiles import JointNull
from monitoring.baseline.p_values import judged_rows, p_values, thinned
from monitoring.baseline.resampling import windows

pytestmark = pytest.mark.slow

ROWS, WINDOW = 3_000, 250
COLUMNS = 5


def rows(random: np.random.Generator, count: int, correlation: float) -> dict[str, NDArray[Any]]:
    common = random.standard_normal((count, 1)) * np.sqrt(correlation)
    drawn = common + random.standard_normal((count, COLUMNS)) * np.sqrt(1 - correlation)
    return {f"x{i}": drawn[:, i].astype(np.float32) for i in range(COLUMNS)}


@cache
def model(correlation: float, seed: int = 0) -> tuple[dict[str, Reference], JointNull]:
    random = np.random.default_rng(seed)
    trained = rows(random, ROWS, correlation)
    draws = windows((100, 1_000), ROWS, random)
    references = {name: reference(column, column[:0], draws) for name, column in trained.items()}
    return references, simulate(references, trained, random)


def joint_p(correlation: float, count: int, shift: float = 0.0) -> list[float]:
    references, null = model(correlation)
    random = np.random.default_rng(9)
    found = []
    for _ in range(count):
        window = rows(random, WINDOW, correlation)
        window["x0"] = window["x0"] + np.float32(shift)
        found.append(null.p_value(mean_e(references, window), WINDOW))
    return found


def mean_e(references: dict[str, Reference], window: dict[str, NDArray[Any]]) -> float:
    return float(
        np.mean(
            [
                e_values(p_values(of, of.bins.count(window[name]), judged_rows(of, WINDOW)))
                for name, of in references.items()
            ]
        )
    )


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_a_windows_p_value_is_about_uniform_however_columns_go_together(correlation: float) -> None:
    found = np.array(joint_p(correlation, 300))
    assert 0.4 < found.mean() < 0.6
    assert 0.04 < (found < 0.1).mean() < 0.2
    assert (found < 0.01).mean() < 0.04


def test_it_is_kept_in_the_baselines_document() -> None:
    references, null = model(0.0)
    again = Baseline.from_json(Baseline(references, {}, null).to_json()).joint
    assert again is not None
    for mean in (0.5, 1.0, 5.0, 500.0):
        assert again.p_value(mean, WINDOW) == pytest.approx(null.p_value(mean, WINDOW), rel=1e-3)


def test_a_baseline_of_earlier_days_has_none() -> None:
    references, null = model(0.0)
    earlier = json.loads(Baseline(references, {}, null).to_json())
    del earlier["joint"]
    earlier["format"] = 2
    assert Baseline.from_json(json.dumps(earlier)).joint is None


def test_a_change_of_one_column_makes_it_small() -> None:
    assert np.median(joint_p(0.0, 20, shift=0.5)) < 0.001


def test_a_large_window_is_judged_by_a_tenth_of_the_references_rows() -> None:
    references, _ = model(0.0)
    of = references["x0"]
    window: NDArray[Any] = np.random.default_rng(1).standard_normal(50_000).astype(np.float32)
    counts = of.bins.count(window)
    kept = thinned(of, counts, np.random.default_rng(2))
    assert kept.sum() == judged_rows(of, 50_000) == ROWS // 10
    assert (kept <= counts).all()


def test_a_change_below_the_least_that_matters_is_none() -> None:
    references, _ = model(0.0)
    of = references["x0"]
    window: NDArray[Any] = np.random.default_rng(3).standard_normal(ROWS // 10).astype(
        np.float32
    ) + np.float32(0.3)
    counts = of.bins.count(window)
    assert p_values(of, counts, ROWS // 10) < 0.01
    assert p_values(of, counts, ROWS // 10, least_change=0.3) > 0.5


def test_a_category_counts_as_its_places_say() -> None:
    column = np.array(["a", "b", "a", "", "zzz"], object)
    of = reference(column[:4], column[:0], windows((100,), 4, np.random.default_rng(0)))
    assert of.bins.count(column).tolist() == np.bincount(of.bins.places(column), minlength=4).tolist()
