"""A new contract beside every older one: the live model is compared with, or a sentence says why not.

None of validation, evaluation and the baseline may fail because a feature has another type, unit or
set, is new or gone, or the target is another one.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract.artifact import ARCHIVE
from contract.checks import Rule, default_rules
from contract.layout import CHAMPION_FILE
from contract.schema import Contract, Evaluation, Feature, Problem, Target, Time, Training
from metrics.problem_metrics import Rows
from tabular.samples import Samples
from tests.fixtures.tables import to_csv
from training.data import table
from training.data.champion import read_champion
from training.data.holdout import Holdout
from training.evaluation.comparison import compare
from training.evaluation.gates import judge
from training.jobs import train
from training.jobs.validate import inspect
from training.model.checkpoints import Checkpoints
from training.validation.live_data import read_live

VERSION = "m/3"
COLUMNS = ("code", "size", "day", "note", "yes", "kind", "count")
"""Of which each may be read as several types, and the last three be the target."""


def row(i: int) -> list[str]:
    return [
        str(i % 4),
        f"{(i * 37 % 101) / 10}",
        f"2024-{1 + i % 12:02}-{1 + i % 28:02}",
        ("refund please", "great thanks", "broken again", "thanks again")[i * 3 % 4],
        str(int(i % 4 > 1)),
        "abc"[(i * 5) % 3],
        str(i % 9),
    ]


ROWS = [row(i) for i in range(160)]
TYPES: dict[str, Sequence[Feature]] = {
    "code": [
        Feature(name="code", type="number"),
        Feature(name="code", type="number", minimum=1, missing=("3",)),
        Feature(name="code", type="category"),
        Feature(name="code", type="category", values=("0", "1.0", "2", "3")),
        Feature(name="code", type="text"),
    ],
    "size": [
        Feature(name="size", type="number"),
        Feature(name="size", type="category"),
        Feature(name="size", type="text"),
    ],
    "day": [
        Feature(name="day", type="datetime"),
        Feature(name="day", type="category"),
        Feature(name="day", type="text"),
        Feature(name="day", type="number"),
    ],
    "note": [Feature(name="note", type="text"), Feature(name="note", type="category")],
    "kind": [Feature(name="kind", type="category"), Feature(name="kind", type="category", values=("a", "b"))],
    "count": [Feature(name="count", type="number"), Feature(name="count", type="category")],
}
TARGETS: list[tuple[Problem, Target]] = [
    ("binary", Target(name="yes", positive="1")),
    ("binary", Target(name="yes", positive="0")),
    ("multiclass", Target(name="yes")),
    ("multiclass", Target(name="kind")),
    ("multiclass", Target(name="kind", missing=("c",))),
    ("multiclass", Target(name="count")),
    ("regression", Target(name="count")),
    ("regression", Target(name="yes")),
]
NO_STOPS = {name: replace(rule, level="warn") for name, rule in default_rules().items()}


def made(problem: Problem, target: Target, features: Sequence[Feature], time: Time | None = None) -> Contract:
    return Contract(
        model="m",
        problem=problem,
        target=target,
        features=tuple(feature for feature in features if feature.name != target.name),
        time=time,
        sensitive=tuple(f.name for f in features if f.name == "kind" != target.name),
        validation={**NO_STOPS, "values": Rule(level="warn")},
        training=Training(parameters={"max_iter": 3}, holdout="newest" if time else "random"),
        evaluation=Evaluation(minimum_rows=5),
    )


def first(*names: str) -> list[Feature]:
    return [TYPES[name][0] for name in names]


OLD = (
    made(*TARGETS[0], first("code", "size", "day", "note", "kind")),
    made(*TARGETS[0], [TYPES["code"][2], TYPES["size"][1], TYPES["day"][1], TYPES["note"][1]]),
    made(*TARGETS[3], first("size", "code"), Time(name="day")),
    made(*TARGETS[6], [TYPES["code"][3], *first("size", "day", "kind")]),
    made(*TARGETS[5], first("note")),
)


def samples(contract: Contract) -> Samples | None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        path.write_text(to_csv([COLUMNS, *ROWS]))
        rows = Samples.joined(table.sound(contract, chunk) for chunk in table.read(path, contract))
    return rows if len(rows) else None


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """The input folder `champion` of each of `OLD`."""

    @cache
    def folder(number: int) -> Path:
        contract, path = OLD[number], tmp_path_factory.mktemp("live")
        rows = samples(contract)
        assert rows is not None
        held = np.arange(len(rows)) % 4 == 0
        train.build(
            contract, rows.where(~held), rows.where(held), {}, path, tuned={}, checkpoints=Checkpoints()
        )
        with tarfile.open(path / ARCHIVE, "w:gz") as packed:
            for file in sorted(path.glob("*")):
                if file.name != ARCHIVE:
                    packed.add(file, file.name)
        (path / CHAMPION_FILE).write_text(json.dumps({"model_version": VERSION}))
        return path

    return folder


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    problem, target = draw(st.sampled_from(TARGETS))
    names = draw(st.lists(st.sampled_from(sorted(TYPES)), unique=True, min_size=1))
    features = [draw(st.sampled_from(TYPES[name])) for name in names if name != target.name]
    time = draw(st.sampled_from([None, None, Time(name="day")]))
    if not features or any(f.name == "day" and f.type != "datetime" for f in features):
        time = None
    return made(problem, target, features or first("size"), time)


@settings(max_examples=30)
@given(st.integers(0, len(OLD) - 1), contracts())
@example(0, OLD[1])
@example(1, OLD[0])
@example(3, OLD[0])
@example(4, made(*TARGETS[3], first("note")))
@example(2, made(*TARGETS[4], first("size", "code"), Time(name="day")))
def test_a_live_model_of_any_contract_is_compared_with_or_it_is_said_why_not(
    live: Callable[[int], Path], number: int, contract: Contract
) -> None:
    old, folder = OLD[number], live(number)
    with TemporaryDirectory() as data:
        Path(data, "a.csv").write_text(to_csv([COLUMNS, *ROWS]))
        found = inspect(Path(data), contract, read_live(folder))
    json.dumps(found, allow_nan=False)
    before = {feature.name: feature.type for feature in old.features}
    assert found["not_compared"].keys() == {f.name for f in contract.features if before.get(f.name) != f.type}
    compared = {one["feature"] for one in found["features"] if one["psi"] is not None}
    assert not compared & found["not_compared"].keys()

    rows = samples(contract)
    champion = read_champion(folder)
    assert champion is not None
    if rows is None or len(set(rows.target.tolist())) < 2:
        return
    verdict = compare(champion, contract, rows, challenger(rows, contract), Holdout(rule="random"))
    assert verdict is not None
    json.dumps(verdict, allow_nan=False)
    same = old.problem == contract.problem and old.target.name == contract.target.name
    if verdict["not_comparable"]:
        assert verdict["metrics"] == {}
    else:
        assert same
        assert before.items() <= {f.name: f.type for f in contract.features}.items()
        assert verdict["rows"] > 0
    metric = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[contract.problem]
    (judged,) = judge({f"champion.{metric}": "not worse"}, {}, verdict)
    assert judged["says"]


def challenger(rows: Samples, contract: Contract) -> Rows:
    """A model that says the truth of half of the rows."""
    classes = rows.classes(contract)
    truth = rows.coded_target(classes)
    right = np.arange(len(rows)) % 2 == 0
    if contract.problem == "regression":
        return Rows(contract.problem, truth, np.where(right, truth, truth.mean()), 0.5)
    share = np.where(right[:, None], np.eye(len(classes))[truth.astype(int)], 1 / len(classes))
    predictions = share[:, 1] if contract.problem == "binary" else share
    return Rows(contract.problem, truth, predictions, 0.5)
