"""The newest rows are held out where rows have a time: trained on the past, judged on what came after."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from container.errors import DataError, PlatformError
from contract.schema import Contract, Time
from tabular.samples import Samples
from tests.fixtures.folders import Run
from tests.fixtures.tables import Table, samples_of, tickets, tumor
from training.data.holdout import Holdout, date, drawn, newest
from training.model.checkpoints import Checkpoints
from training.model.cross_validation import by_time, rounds, unseen

NAN = float("nan")
ROWS = st.lists(
    st.tuples(st.one_of(st.integers(0, 40).map(float), st.just(NAN)), st.integers(0, 60)), min_size=1
)


def arrays(rows: list[tuple[float, int]]) -> tuple[Any, Any]:
    times, marks = zip(*rows, strict=True)
    return np.array(times, np.float32), np.array(marks, np.uint64)


@given(rows=ROWS, share=st.floats(0.01, 0.99), order=st.randoms(use_true_random=False))
def test_the_newest_are_as_near_to_the_share_as_ties_allow(
    rows: list[tuple[float, int]], share: float, order: Any
) -> None:
    times, marks = arrays(rows)
    found = newest(times, marks, share)
    known = times[~np.isnan(times)]
    if found is None:
        assert len(set(known.tolist())) < 2
        return
    old, new = times < found.starts, times >= found.starts
    assert old.any()
    assert new.any()
    assert (found.trained == (old | np.isnan(times))).all()
    assert not (found.held & ~new).any()
    assert not set(marks[found.trained]) & set(marks[found.held])
    assert set(marks[new & ~found.held]) <= set(marks[found.trained])
    possible = [(known >= at).sum() for at in set(known.tolist()) - {known.min()}]
    target = share * len(known)
    assert abs(new.sum() - target) == min(abs(size - target) for size in possible)

    moved = list(range(len(rows)))
    order.shuffle(moved)
    again = newest(times[moved], marks[moved], share)
    assert again is not None
    assert (again.held == found.held[moved]).all()


@given(rows=ROWS)
def test_blocks_are_judged_by_what_is_older(rows: list[tuple[float, int]]) -> None:
    times, marks = arrays(rows)
    before = np.inf
    for fitted, held in by_time(times, marks):
        assert held.any()
        assert np.nanmax(times[fitted]) < times[held].min()
        assert times[held].max() < before
        assert not set(marks[fitted]) & set(marks[held])
        assert fitted[np.isnan(times)].all()
        before = times[held].min()


@given(marks=st.lists(st.integers(0, 2**64 - 1), min_size=1), share=st.floats(0.01, 0.99))
def test_drawn_at_random_each_row_is_on_one_side(marks: list[int], share: float) -> None:
    found = drawn(np.array(marks, np.uint64), share)
    assert found.held.tolist() == [mark < int(share * 2**64) for mark in marks]
    assert (found.trained != found.held).all()


def timed(table: Table, column: str, **training: Any) -> Table:
    contract = table.contract
    training = {"holdout": "newest", **training}
    return replace(
        table,
        contract=replace(contract, time=Time(name=column), training=replace(contract.training, **training)),
    )


def stamped(table: Table, times: list[str], **training: Any) -> Table:
    """A table whose rows have a time that is no feature, under `at`."""
    rows = tuple((time, *row) for time, row in zip(times, table.rows, strict=True))
    return replace(timed(table, "at", **training), header=("at", *table.header), rows=rows)


def days(count: int, first: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> list[str]:
    return [(first + timedelta(days=day)).isoformat() for day in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False], ids=["a feature", "no feature"])
def test_a_run_is_trained_on_the_past_and_judged_on_the_newest(tmp_path: Path, *, own: bool) -> None:
    table = tickets()
    shuffled = [
        days(len(table.rows))[place] for place in np.random.default_rng(5).permutation(len(table.rows))
    ]
    given = timed(table, "opened") if own else stamped(table, shuffled)
    run = Run(tmp_path, given)
    prepared, trained = run.trained()
    evaluated = run.evaluate(prepared, trained)
    assert evaluated.run("evaluate") == 0

    train, held = (Samples.read(prepared.output(side), given.contract) for side in ("train", "holdout"))
    assert train.times is not None
    assert held.times is not None
    assert np.nanmax(train.times) < held.times.min()
    told = json.loads((prepared.output("holdout") / "holdout.json").read_text())
    assert trained.document("model/model.json")["holdout"] == told
    assert told["starts"] == date(float(held.times.min()))
    assert told["undated"] == int(np.isnan(train.times).sum())
    assert (told["undated"] > 0) is own
    dated = len(train) + len(held) - told["undated"]
    assert abs(len(held) - 0.2 * dated) <= 1
    report = (evaluated.output("evaluation") / "card.md").read_text()
    assert f"the newest, from {told['starts']} (UTC) on" in report


def test_rows_seen_before_are_on_neither_side(tmp_path: Path) -> None:
    table = tumor()
    later = days(len(table.rows) + 40)
    given = stamped(replace(table, rows=(*table.rows, *table.rows[:40])), later)
    job = Run(tmp_path, given).prepare()
    assert job.run("prepare") == 0
    told = Holdout.read(job.output("holdout"))
    assert told.repeated == 40
    sizes = [len(Samples.read(job.output(side), given.contract)) for side in ("train", "holdout")]
    assert sum(sizes) == len(table.rows)


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        (
            lambda n: ["2024-01-01"] * n,
            "no row is newer than another by 'at', so the newest cannot be held out",
        ),
        (lambda n: [""] * n, 'add rows of other times, or set training.holdout = "random".'),
        (days, "no row of 'malignant' fell into holdout: add rows of it, or set training.holdout"),
    ],
)
def test_what_cannot_be_split_by_time_says_so(tmp_path: Path, times: Any, sentence: str) -> None:
    table = tumor()
    rows = tuple(sorted(table.rows, key=lambda row: row[-1] == "benign"))
    job = Run(tmp_path, stamped(replace(table, rows=rows), times(len(rows)))).prepare()
    assert job.run("prepare") == 1
    assert job.message().startswith("Data: ")
    assert sentence in job.message()


def in_time(samples: Samples, contract: Contract, times: Any) -> tuple[Samples, Contract]:
    training = replace(contract.training, holdout="newest")
    return (
        replace(samples, times=np.asarray(times, np.float32)),
        replace(contract, time=Time(name="at"), training=training),
    )


def test_what_is_chosen_in_training_is_chosen_by_time_too() -> None:
    contract, samples = samples_of("binary", tumor())
    samples, contract = in_time(samples, contract, np.arange(len(samples)))
    rows = unseen(samples, contract, Checkpoints())
    assert abs(len(rows) - 5 / 6 * len(samples)) <= 5
    classes = samples.classes(contract)
    judged = samples.where(np.arange(len(samples)) >= len(samples) - len(rows))
    assert sorted(rows.truth) == sorted(judged.coded_target(classes))
    assert rows.score("roc_auc") > 0.95


def test_of_one_class_nothing_can_be_learned() -> None:
    contract, samples = samples_of("binary", tumor())
    codes = samples.coded_target(samples.classes(contract))
    samples, contract = in_time(samples, contract, codes * 1000 + np.arange(len(samples)))
    assert all(len(np.unique(codes[fitted])) == 2 for fitted, _ in rounds(samples, contract))
    late, contract = in_time(samples, contract, codes)
    with pytest.raises(DataError, match="the oldest rows are of one class"):
        unseen(late, contract, Checkpoints())


def test_a_holdout_of_unknown_origin_is_not_trained_beside(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="how rows were held out"):
        Holdout.read(tmp_path)


@given(hours=st.floats(-2e7, 8e7), more=st.floats(0, 1e6))
def test_dates_are_in_the_order_of_their_text(hours: float, more: float) -> None:
    assume(more > 0)
    assert date(hours) <= date(hours + more)
