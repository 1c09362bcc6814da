"""Whatever a table holds, validation has an answer, and what it says adds up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.checks import CHECKS, Rule, default_rules
from contract.schema import Contract, Evaluation, Feature, Problem, Target, Time
from monitoring.baseline import describe
from tabular.samples import Samples
from tests.fixtures.tables import to_csv
from training.jobs.validate import inspect, summary
from training.validation.live_data import Live

FEATURES = (
    Feature(name="n", type="number"),
    Feature(name="m", type="number", minimum=-5),
    Feature(name="c", type="category"),
    Feature(name="s", type="category", values=("a", "b")),
    Feature(name="d", type="datetime"),
    Feature(name="w", type="text"),
)
SOUND = (
    st.sampled_from(["", "0", "-0.0", "1", "2", "7", "3.5", "1e30", "-3e38"]),
    st.sampled_from(["", "0", "-4.5", "12", "12", "3e38"]),
    st.sampled_from(["", "a", "b", "ü", "z" * 300]),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["", "2020-01-01", "1200-02-03T04:05", "9999-12-31"]),
    st.sampled_from(["", "good", "bad one", "good good day"]),
)
REFUSED = st.sampled_from(["x", "-1e39", "NaN", "2020-13-01"])
TARGETS = {
    "binary": st.sampled_from(["yes", "no"]),
    "multiclass": st.sampled_from(["one", "two", "three"]),
    "regression": st.sampled_from(["0", "1", "-2.5", "1e30"]),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Contract, list[list[str]]]:
    """A contract and rows of few or many values, most of which keep it, and maybe many times the same."""
    problem: Problem = draw(st.sampled_from(["binary", "multiclass", "regression"]))
    sound = st.tuples(*SOUND, TARGETS[problem]).map(list)
    refused = st.tuples(REFUSED, *SOUND[1:], TARGETS[problem]).map(list)
    rows = draw(st.lists(sound, max_size=25)) * draw(st.sampled_from([1, 2, 5]))
    rows += draw(st.lists(refused, min_size=not rows, max_size=3))
    contract = Contract(
        model="any",
        problem=problem,
        target=Target(name="t", positive="yes" if problem == "binary" else None),
        features=FEATURES,
        sensitive=("c", "n", "d"),
        time=draw(st.sampled_from([None, Time(name="d")])),
        evaluation=Evaluation(minimum_rows=2),
        validation={**default_rules(), "rows": Rule(level="stop", limit=2)},
    )
    return contract, rows


def live(contract: Contract) -> Live:
    half = np.arange(40) % 2 == 0
    numbers = np.linspace(0, 9, 120, dtype=np.float32).reshape(40, 3)
    categories = np.array([["a", "b"], ["", "a"]] * 20, object)
    texts = np.array([["good day"], [""]] * 20, object)
    samples = Samples(numbers, categories, np.array(["yes", "no"] * 20), texts)
    baseline = describe(
        replace(contract, problem="binary"),
        ("no", "yes"),
        samples.where(half),
        samples.where(~half),
        np.full((20, 2), 0.5),
    )
    types = {feature.name: feature.type for feature in contract.features}
    return Live(model_version="any/1", baseline=baseline, types=types)


LIVE = live(Contract(model="any", problem="binary", target=Target(name="t"), features=FEATURES))


@settings(max_examples=40)
@given(tables(), st.booleans())
def test_every_table_has_a_verdict(table: tuple[Contract, list[list[str]]], is_live: bool) -> None:
    contract, rows = table
    with TemporaryDirectory() as folder:
        (Path(folder) / "a.csv").write_text(to_csv([["n", "m", "c", "s", "d", "w", "t"], *rows]))
        found = inspect(Path(folder), contract, LIVE if is_live else None)

    json.dumps(found, allow_nan=False)
    assert found["rows"] == len(rows)
    assert sum(found["classes"].values()) == (0 if contract.problem == "regression" else found["sound_rows"])
    assert [check["check"] for check in found["checks"]] == [check.name for check in CHECKS]
    stops = [problem for problem in found["problems"] if problem["level"] == "stop"]
    assert found["passed"] == (not stops)
    assert all(problem["sentence"].endswith(".") and problem["do"] for problem in found["problems"])
    by_check = {check["check"]: check["found"] for check in found["checks"]}
    assert sum(by_check.values()) == len(found["problems"])
    if stops:
        assert summary(found["problems"])
