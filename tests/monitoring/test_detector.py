"""A model version's windows, judged one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from monitoring.baseline import Baseline
from monitoring.baseline.build import reference
from monitoring.baseline.joint_null import simulate
from monitoring.baseline.resampling import windows as draws
from monitoring.detector import Detection, Settings, Verdict, judge
from monitoring.windows import Window, joined

TRAINED = 3_000
START = datetime(2026, 3, 1, tzinfo=UTC)


def table(random: np.random.Generator, rows: int) -> dict[str, NDArray[Any]]:
    return {
        "age": random.normal(40, 10, rows).astype(np.float32),
        "income": random.lognormal(10, 1, rows).astype(np.float32),
        "colour": random.choice(np.array(["red", "green", "blue"], object), rows, p=[0.5, 0.3, 0.2]),
    }


@cache
def baseline() -> Baseline:
    random = np.random.default_rng(0)
    trained = table(random, TRAINED)
    drawn = draws((100, 1_000), TRAINED, random)
    references = {name: reference(column, column[:0], drawn) for name, column in trained.items()}
    return Baseline(references, {}, simulate(references, trained, random))


def hours(count: int, rows: int = 300, *, seed: int = 1, older_from: int | None = None) -> Iterator[Window]:
    """Windows of undisturbed rows, in which people are half a standard deviation older from some hour on."""
    random = np.random.default_rng(seed)
    for hour in range(count):
        columns = table(random, rows)
        if older_from is not None and hour >= older_from:
            columns["age"] = columns["age"] + np.float32(5)
        window = Window(version="m/1", start=START + timedelta(hours=hour))
        yield window.with_rows(f"scored/{hour}", rows, 0, baseline().count(columns))


@pytest.mark.slow
def test_nothing_rings_where_nothing_has_changed() -> None:
    found, pending = judge(baseline(), hours(100), Detection(), Settings())
    assert (found.verdict, pending) == (Verdict.OK, [])


def test_a_change_is_found_named_and_dated() -> None:
    found, _ = judge(baseline(), hours(60, older_from=40), Detection(), Settings())
    assert found.verdict is Verdict.DRIFTED
    assert found.named == ("age",)
    assert found.since is not None
    assert "2026-03-02T1200" <= found.since <= "2026-03-02T1700"


def test_it_is_over_once_rows_are_as_they_were() -> None:
    settings = Settings()
    drifted, _ = judge(baseline(), hours(60, older_from=40), Detection(), settings)
    later = [
        Window(version=w.version, start=w.start + timedelta(days=10), rows=w.rows, counts=w.counts)
        for w in hours(80, seed=5)
    ]
    over, _ = judge(baseline(), later, drifted, settings)
    assert (over.verdict, over.named, over.since) == (Verdict.OK, (), None)


def test_a_change_too_small_to_matter_is_none() -> None:
    found, _ = judge(baseline(), hours(60, older_from=10), Detection(), Settings(least_change=0.5))
    assert found.verdict is Verdict.OK


def test_small_windows_wait_for_each_other() -> None:
    found, pending = judge(baseline(), hours(3, rows=30), Detection(), Settings())
    assert (found.verdict, found.judged, len(pending)) == (Verdict.TOO_LITTLE_DATA, None, 3)
    found, pending = judge(baseline(), hours(5, rows=30), found, Settings())
    assert (found.verdict, found.judged, len(pending)) == (Verdict.OK, "2026-03-01T0300", 1)


@pytest.mark.parametrize("cut", [1, 17, 49])
def test_windows_in_two_runs_or_twice_are_judged_as_in_one(cut: int) -> None:
    at_once, _ = judge(baseline(), hours(50, older_from=45), Detection(), Settings())
    first, _ = judge(baseline(), list(hours(50, older_from=45))[:cut], Detection(), Settings())
    again = Detection.from_json(first.to_json())
    assert judge(baseline(), hours(50, older_from=45), again, Settings())[0] == at_once


def test_an_input_counts_once_however_often_it_comes() -> None:
    (window,) = hours(1)
    again = window.with_rows("scored/0", 300, 0, window.counts)
    assert again is window
    more = window.with_rows("scored/x", 300, 2, window.counts)
    assert (more.rows, more.rejected, more.counts["age"].sum()) == (600, 2, 600)


def test_a_window_is_read_as_it_was_written() -> None:
    (window,) = hours(1)
    again = Window.from_json(window.to_json())
    assert again.to_json() == window.to_json()
    with pytest.raises(ValueError, match="format 1"):
        Window.from_json("{}")


def test_windows_add_up_in_any_order() -> None:
    one, two, three = hours(3)
    together = joined([three, one, two])
    assert (together.name, together.minutes, together.rows) == ("2026-03-01T0000", 180, 900)
    assert together.counts["colour"].sum() == 900
