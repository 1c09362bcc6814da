"""What validation is made of holds for any rows: samples, repeats, times, and what a feature says alone."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tabular.samples import Samples
from tabular.values import EPOCH
from training.validation.rows import sample as sampling
from training.validation.rows.duplicates import Place, Repeats
from training.validation.rows.timing import Timing
from training.validation.univariate import (
    alone,
    category_codes,
    independence,
    number_codes,
    ordered_map,
    ranked_area,
)

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=40)


@given(ROWS, st.integers(1, 7))
def test_repeats_and_conflicts_are_counted_as_by_hand(rows: list[tuple[int, int]], part: int) -> None:
    repeats = Repeats()
    for start in range(0, len(rows), part):
        some = rows[start : start + part]
        places = list(range(start + 2, start + 2 + len(some)))
        repeats.add("a.csv", "line", places, [f for f, _ in some], [label for _, label in some])

    again, torn = repeats.find()

    labels: dict[int, set[int]] = {}
    for features, label in rows:
        labels.setdefault(features, set()).add(label)
    assert again.rows == len(rows) - len(set(rows))
    assert torn.rows == sum(len(labels[features]) > 1 for features, _ in rows)
    for found, alike in ((again, True), (torn, False)):
        assert bool(found.examples) == bool(found.rows)
        if found.examples:
            one, other = (rows[place.place - 2] for place in found.examples)
            assert one[0] == other[0]
            assert (one == other) == alike


@given(st.lists(st.integers(0, 400), max_size=12))
def test_a_sample_is_some_of_the_rows_in_their_order_and_all_while_they_are_few(sizes: list[int]) -> None:
    sample = sampling.RowSample(most=500)
    first = 0
    for size in sizes:
        numbers = np.arange(first, first + size, dtype=np.float32)
        sample.add(Samples(numbers[:, None], np.empty((size, 0), object), numbers))
        first += size
    rows = sample.rows()
    kept = rows.target.tolist() if rows else []
    assert kept == sorted(set(kept))
    assert len(kept) == first if first <= 500 else len(kept) <= 500


def test_a_sample_of_many_rows_is_large_and_even() -> None:
    sample = sampling.RowSample(most=5_000)
    for start in range(0, 200_000, 20_000):
        numbers = np.arange(start, start + 20_000, dtype=np.float32)
        sample.add(Samples(numbers[:, None], np.empty((20_000, 0), object), numbers))
    rows = sample.rows()
    assert rows is not None
    assert 2_000 < len(rows) <= 5_000
    by_tenth = Counter((rows.target // 20_000).astype(int).tolist())
    assert min(by_tenth.values()) > 0.8 * len(rows) / 10


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60))
def test_the_area_of_ranked_groups_is_that_of_their_rows(rows: list[tuple[int, bool]]) -> None:
    scores = np.arange(6) / 5
    positives = np.bincount([g for g, truth in rows if truth], minlength=6)
    negatives = np.bincount([g for g, truth in rows if not truth], minlength=6)
    found = ranked_area(scores, positives, negatives)
    if len({truth for _, truth in rows}) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score([t for _, t in rows], [scores[g] for g, _ in rows]))


@given(st.lists(st.floats(allow_infinity=False, width=32), min_size=1, max_size=300), st.integers(0, 3))
def test_any_column_says_something_between_nothing_and_all(values: list[float], classes: int) -> None:
    column = np.array(values, np.float32).astype(np.float64)
    target = np.random.default_rng(1).integers(0, max(classes, 5), len(column)).astype(float)
    classes = 0 if classes < 2 else classes
    target = np.minimum(target, classes - 1) if classes else target
    coded = number_codes(column)
    assert coded.codes.min() >= 0
    assert coded.codes.max() < coded.size
    for found in (alone(coded, target, classes), ordered_map(column, target, classes)):
        assert np.isnan(found) or found <= 1 + 1e-9
    said = independence(coded, number_codes(target, most=10, few=10))
    assert 0 <= said <= 1


def test_a_value_for_every_row_explains_nothing_by_heart() -> None:
    target = np.arange(400) % 2.0
    names = category_codes(np.array([f"P-{i}" for i in range(400)], object))
    assert alone(names, target, 2) == pytest.approx(0.5)
    assert alone(category_codes(np.array(["a", "b"] * 200, object)), target, 2) == 1


@given(st.lists(st.one_of(st.none(), st.integers(0, 30_000)), max_size=40), st.integers(1, 5))
def test_times_out_of_order_and_of_the_future_are_counted_over_parts(
    days: list[int | None], part: int
) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    timing = Timing(now)
    times = np.array([np.nan if day is None else 24 * day for day in days], np.float32)
    for start in range(0, len(days), part):
        places = list(range(start, start + part))
        timing.add("a.csv", "line", places, times[start : start + part])
    known = [(i, day) for i, day in enumerate(days) if day is not None]
    late = [i for n, (i, day) in enumerate(known) if any(day < before for _, before in known[:n])]
    coming = [i for i, day in known if day > (now - EPOCH).days + 1]
    assert (timing.rows, timing.disordered.rows, timing.future.rows) == (len(known), len(late), len(coming))
    assert timing.disordered.examples == ((Place("a.csv", "line", late[0]),) if late else ())
    assert timing.future.examples == ((Place("a.csv", "line", coming[0]),) if coming else ())


def test_a_value_that_was_never_learned_of_is_like_any_row() -> None:
    """Each value is in two rows of one class: half of them in one half, where the other knows nothing of it.

    So three in four pairs are put in order for sure, one of them by luck: 0.875. Were an unknown value
    taken for one of the negative class, it would be 0.75.
    """
    random = np.random.default_rng(3)
    pairs = random.permutation(np.repeat(np.arange(4000), 2))
    names = np.array([f"value {code}" for code in pairs], object)
    assert alone(category_codes(names), (pairs % 2).astype(float), 2) == pytest.approx(0.875, abs=0.015)
