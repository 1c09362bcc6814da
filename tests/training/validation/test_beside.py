"""Checks of rows beside something else: the live model's data, the clock, and each other's groups."""

from __future__ import annotations

import json
import random
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract import artifact
from contract.checks import Rule
from contract.schema import Contract, Feature, Problem, Time
from monitoring.baseline import describe
from tests.fixtures.folders import Job, Run
from tests.fixtures.tables import Table, mixed, samples_of

DOCUMENT, ARCHIVE = "champion.json", "model.tar.gz"

LIVE = "millrace-local-mixed/3"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sealed artifact of a model of the mixed table, as far as validation reads it."""
    return sealed(tmp_path_factory.mktemp("live"), baseline().to_json())


def baseline() -> Any:
    contract, samples = samples_of("binary")
    half = np.arange(len(samples)) % 2 == 0
    output = np.full((len(samples) // 2, 2), 0.5)
    return describe(contract, ("no", "yes"), samples.where(half), samples.where(~half), output)


def sealed(folder: Path, text: str) -> Path:
    model = folder / "model"
    model.mkdir()
    texts = {artifact.BASELINE: text, artifact.CONTRACT: mixed().contract.to_json()}
    for name in artifact.SEALED:
        (model / name).write_text(texts.get(name, "{}"))
    artifact.seal(model)
    with tarfile.open(folder / ARCHIVE, "w:gz") as packed:
        packed.add(model, ".")
    return folder / ARCHIVE


def validated(folder: Path, table: Table, live: Path | None = None) -> tuple[Job, dict[str, Any]]:
    job = Run(folder, table).validate()
    if live is not None:
        version = json.dumps({"model_version": LIVE, "model_package_arn": "arn"})
        job.put("processing/input/champion", {DOCUMENT: version, ARCHIVE: live})
    code = job.run("validate")
    document: dict[str, Any] = job.document("processing/output/report/report.json")
    assert (code == 0) == document["passed"]
    return job, document


def check(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in document["checks"] if each["check"] == name]
    return dict(found)


def test_the_same_data_as_the_live_models_has_not_drifted(tmp_path: Path, archive: Path) -> None:
    _, document = validated(tmp_path, mixed(), archive)
    assert document["compared_with"] == LIVE
    assert check(document, "drift")["outcome"] == "passed"
    assert {each["feature"] for each in document["features"] if each["psi"] is not None} == {
        *mixed().contract.feature_names
    } - {"opened"}


def test_a_feature_that_moved_has_drifted_and_no_other(tmp_path: Path, archive: Path) -> None:
    place = mixed().header.index("ratio")
    rows = [list(row) for row in mixed().rows]
    for row in rows:
        row[place] = row[place] and repr(float(row[place]) + 1)
    _, document = validated(tmp_path, replace(mixed(), rows=tuple(map(tuple, rows))), archive)
    (problem,) = document["problems"]
    assert (problem["check"], problem["level"], problem["column"]) == ("drift", "warn", "ratio")
    assert f"ratio: It is distributed otherwise than in the data of {LIVE} (PSI " in problem["sentence"]


def opened(change: Callable[[str], str]) -> Table:
    """The mixed table with other times."""
    place = mixed().header.index("opened")
    rows = [(*row[:place], change(row[place]), *row[place + 1 :]) for row in mixed().rows]
    return replace(mixed(), rows=tuple(rows))


def test_later_times_are_no_drift(tmp_path: Path, archive: Path) -> None:
    _, document = validated(tmp_path, opened(lambda text: text.replace("2024-", "2025-")), archive)
    assert document["problems"] == []


def test_times_that_are_missing_more_often_are_drift(tmp_path: Path, archive: Path) -> None:
    _, document = validated(tmp_path, opened(lambda text: "never" if "-0" in text[:6] else text), archive)
    (problem,) = document["problems"]
    assert (problem["check"], problem["column"]) == ("drift", "opened")
    assert "It is missing otherwise than in the data of" in problem["sentence"]


def test_a_feature_that_the_live_model_reads_otherwise_is_not_compared(tmp_path: Path, archive: Path) -> None:
    features = tuple(
        replace(f, type="category", minimum=None, maximum=None) if f.name == "amount" else f
        for f in mixed().contract.features
    )
    new = (*features, Feature(name="outcome", type="category"))
    contract = replace(mixed().contract, features=new, target=replace(mixed().contract.target, name="extra"))
    table = Table(contract, (*mixed().header, "extra"), tuple((*row, row[-1]) for row in mixed().rows))
    table = table.with_rules(leakage=Rule(level="off"), strong_feature=Rule(level="off"))
    _, document = validated(tmp_path, table, archive)
    assert document["not_compared"] == {
        "amount": "it was a number and is a category",
        "outcome": "it is new",
    }
    assert {each["feature"] for each in document["features"] if each["psi"] is None} == {
        "amount",
        "outcome",
        "opened",
    }


def test_a_live_model_of_older_code_stops_nothing(tmp_path: Path) -> None:
    _, document = validated(tmp_path, mixed(), sealed(tmp_path, '{"format": 1}'))
    drift = check(document, "drift")
    assert drift["outcome"] == "skipped"
    assert drift["why"].startswith(f"{LIVE} cannot be compared with: a baseline of format")


def test_an_artifact_that_was_altered_is_the_platforms(tmp_path: Path, archive: Path) -> None:
    broken = tmp_path / ARCHIVE
    whole = archive.read_bytes()
    # What follows the last file is padding, of which nobody needs the end.
    broken.write_bytes(whole[: len(whole) // 2])
    job = Run(tmp_path, mixed()).validate()
    job.put("processing/input/champion", {DOCUMENT: json.dumps({"model_version": LIVE}), ARCHIVE: broken})
    assert job.run("validate") == 1
    assert job.message().startswith("Platform: ")


def timed(times: list[str], **where: bool) -> Table:
    """The mixed table with a column of times, which is a feature or not."""
    table = mixed()
    if where.get("is_feature"):
        place = table.header.index("opened")
        rows = [(*row[:place], time, *row[place + 1 :]) for row, time in zip(table.rows, times, strict=True)]
        return replace(table, rows=tuple(rows), contract=_timed(table.contract, "opened"))
    rows = [(time, *row) for row, time in zip(table.rows, times, strict=True)]
    return Table(_timed(table.contract, "seen"), ("seen", *table.header), tuple(rows))


def _timed(contract: Contract, name: str) -> Contract:
    return replace(contract, time=Time(name=name))


def test_a_random_holdout_of_rows_with_a_time_is_warned_of(tmp_path: Path) -> None:
    table = mixed().with_rules(random_holdout=Rule(level="warn"))
    job, document = validated(tmp_path, table)
    (problem,) = document["problems"]
    assert (problem["check"], problem["level"], problem["column"]) == ("random_holdout", "warn", "opened")
    assert "Name it in [time], so that the newest rows are held out" in problem["do"]
    assert "random_holdout" in (job.output("report") / "report.html").read_text()

    _, document = validated(tmp_path / "timed", replace(table, contract=_timed(table.contract, "opened")))
    assert check(document, "random_holdout")["outcome"] == "skipped"


@pytest.mark.parametrize("is_feature", [False, True])
def test_rows_out_of_order_or_of_the_future_are_named(tmp_path: Path, is_feature: bool) -> None:
    times = [f"{2001 + i // 30}-{1 + i % 12:02}-01" for i in range(600)]
    times = sorted(times)
    _, document = validated(tmp_path / "sound", timed(times, is_feature=is_feature))
    assert {check(document, name)["outcome"] for name in ("time_order", "future")} == {"passed"}

    times[99], times[100] = "1999-12-31", "2999-01-01"
    job, document = validated(tmp_path / "spoiled", timed(times, is_feature=is_feature))
    column = "opened" if is_feature else "seen"
    stop, warn = document["problems"]
    assert f"future: {column} in a.csv, line 102: It lies in the future." in job.message()
    assert (stop["count"], warn["check"], warn["place"]) == (1, "time_order", 101)
    assert warn["count"] == 1 + 499  # What follows the row of 2999 is before it.


def test_a_time_that_is_none_is_refused_as_any_value_is(tmp_path: Path) -> None:
    job, _ = validated(tmp_path, timed(["2020-01-01"] * 599 + ["yesterday"]))
    assert "values: seen in a.csv, line 601: 'yesterday' is not an ISO 8601 date or time" in job.message()


def grouped(problem: Problem, effect: float) -> Table:
    """The mixed table in which one plan has the last outcome more often than the other by `effect`."""
    draw = random.Random(9)
    table = mixed(problem)
    places = [table.header.index(name) for name in ("plan", "outcome")]
    outcomes = {"binary": ("no", "yes"), "multiclass": ("middle", "high"), "regression": ("0.5", "1.5")}
    rows = [list(row) for row in table.rows]
    for row in rows:
        row[places[0]] = draw.choice(("free", "paid"))
        often = 0.5 + (effect / 2 if row[places[0]] == "paid" else -effect / 2)
        row[places[1]] = outcomes[problem][draw.random() < often]
    rules = replace(table.with_rules(), rows=tuple(map(tuple, rows)))
    return replace(rules, contract=replace(rules.contract, sensitive=("plan",)))


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        ("binary", r"plan: outcome is 'yes' in 69\.\d% of 'paid' and in 30\.\d% of 'free'\."),
        ("multiclass", r"plan: outcome is 'middle' in 69\.\d% of 'free' and in 30\.\d% of 'paid'\."),
        (
            "regression",
            r"plan: outcome is on average 0\.\d\d standard deviations higher of 'paid' than of 'free'\.",
        ),
    ],
)
def test_groups_that_have_the_target_unlike_are_named(tmp_path: Path, problem: Problem, says: str) -> None:
    _, document = validated(tmp_path / "apart", grouped(problem, 0.4))
    (problem_,) = [each for each in document["problems"] if each["check"] == "bias"]
    assert re.match(says, problem_["sentence"])
    alike = grouped(problem, 0.0)
    # Of many small groups some are far apart by chance.
    alike = replace(alike, contract=replace(alike.contract, sensitive=("plan", "colour")))
    _, document = validated(tmp_path / "alike", alike)
    assert check(document, "bias")["outcome"] == "passed"
