"""Slices: where the model does badly is found, and told first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as reference

from contract.schema import Feature
from metrics.problem_metrics import Rows
from tests.training.evaluation.cases import contract, predicted, samples
from training.evaluation.slices import MISSING_SLICE, find, parts

ROWS = 600
AGE = Feature(name="age", type="number")
TOWN = Feature(name="town", type="category")
JOINED = Feature(name="joined", type="datetime")


def test_the_worst_slice_comes_first_with_the_metric_of_its_rows() -> None:
    towns = np.array(["here", "there", "nowhere"], object)[np.arange(ROWS) % 3]
    rows = predicted("binary", ROWS)
    bad = towns == "there"
    rows.predictions[bad] = 1 - rows.predictions[bad]

    found = find(contract(TOWN), samples([], [towns]), rows)

    assert found["metric"] == "roc_auc"
    assert found["higher_is_better"]
    assert found["worst_first"][0]["slice"] == "there"
    for one in found["worst_first"]:
        of = towns == one["slice"]
        exact = reference.roc_auc_score(rows.truth[of], rows.predictions[of])
        assert one["value"] == pytest.approx(exact)
        assert one["rows"] == of.sum() == 200
        assert one["low"] is not None
        assert one["high"] is not None
        assert one["low"] < exact < one["high"]


def test_of_an_error_the_greatest_is_the_worst() -> None:
    age = np.repeat([20.0, 40.0, 60.0], ROWS // 3)
    truth = np.zeros(ROWS)
    rows = Rows("regression", truth, age / 10)

    found = find(contract(AGE, problem="regression"), samples([age], []), rows)

    assert not found["higher_is_better"]
    assert [(one["slice"], one["value"]) for one in found["worst_first"]] == [("60", 6), ("40", 4), ("20", 2)]


def test_small_slices_are_counted_and_not_judged() -> None:
    towns = np.array(["large"] * 590 + ["small"] * 10, object)

    found = find(contract(TOWN), samples([], [towns]), predicted("binary", ROWS))

    assert [one["slice"] for one in found["worst_first"]] == ["large"]
    assert found["too_small"] == 1


def test_a_slice_in_which_the_metric_is_not_defined_is_the_last() -> None:
    towns = np.array(["one class", "both", "both"], object)[np.arange(ROWS) % 3]
    rows = predicted("binary", ROWS)
    rows.truth[towns == "one class"] = 1

    *_, last = find(contract(TOWN), samples([], [towns]), rows)["worst_first"]

    assert (last["slice"], last["value"], last["low"]) == ("one class", None, None)


def test_days_are_told_as_dates() -> None:
    hours = np.where(np.arange(20) % 2, 0.0, 24 * 366.0).astype(np.float32)
    assert {part.label for part in parts(JOINED, hours)} == {"1970-01-01", "1971-01-02"}


def test_times_of_one_day_are_told_apart() -> None:
    hours = np.arange(20, dtype=np.float32) % 4
    found = find(
        contract(JOINED, problem="regression", minimum_rows=2),
        samples([hours], []),
        predicted("regression", 20),
    )
    assert sum(one["rows"] for one in found["worst_first"]) == 20
    assert {one["slice"] for one in found["worst_first"]} == {f"1970-01-01T0{hour}:00" for hour in range(4)}


def test_numbers_that_differ_late_are_told_apart() -> None:
    numbers = np.array([1_000_001, 1_000_002] * 10, np.float32)
    assert {part.label for part in parts(AGE, numbers)} == {"1000001", "1000002"}


def test_a_value_that_looks_like_none_is_told_apart_from_it() -> None:
    towns = np.array(["", MISSING_SLICE] * 10, object)
    labels = [part.label for part in parts(TOWN, towns)]
    assert len(set(labels)) == 2


def test_times_beyond_the_calendar_have_a_label() -> None:
    """The first hour of the year 1, as it is written east of Greenwich, is of the year 0 there."""
    hours = np.array([-17_259_902.0, 70_389_530.0] * 10, np.float32)
    assert len({part.label for part in parts(JOINED, hours)}) == 2


VALUES = arrays.arrays(
    np.float32,
    st.integers(1, 80),
    elements=st.floats(-100, 100, width=32) | st.sampled_from([0.0, 1.0, float("nan")]),
)


@given(VALUES)
def test_each_row_is_in_one_part_of_a_number(values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    found = list(parts(AGE, values))
    places = np.concatenate([part.places for part in found])
    assert sorted(places.tolist()) == list(range(len(values)))
    missing = [part.places.tolist() for part in found if part.label == MISSING_SLICE]
    assert [place for part in missing for place in part] == np.flatnonzero(np.isnan(values)).tolist()
    assert len(found) <= 11


@given(st.lists(st.sampled_from(["", "a", "b", MISSING_SLICE]), min_size=1, max_size=30))
def test_each_row_is_in_one_part_of_a_category(values: list[str]) -> None:
    found = list(parts(TOWN, np.array(values, object)))
    assert sorted(np.concatenate([part.places for part in found]).tolist()) == list(range(len(values)))
