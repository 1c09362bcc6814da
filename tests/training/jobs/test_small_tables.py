"""A small table: its model is fitted to all rows, and measured by models that had not seen them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from container.errors import DataError
from contract import artifact
from contract.schema import Problem, Time
from contract.search import Search
from scoring.server.sealed_model import SealedModel
from tabular.samples import Samples, marks
from tests.fixtures.folders import Job, Run
from tests.fixtures.tables import Table, mixed, of_problem
from training.jobs.train import build
from training.model import out_of_fold
from training.model.checkpoints import Checkpoints
from training.model.out_of_fold import OutOfFold

pytestmark = pytest.mark.slow

PROBLEMS: tuple[Problem, ...] = ("binary", "multiclass", "regression")


class Done(NamedTuple):
    table: Table
    prepared: Job
    trained: Job
    evaluated: Job

    @property
    def evaluation(self) -> dict[str, Any]:
        found: dict[str, Any] = self.evaluated.document("processing/output/evaluation/evaluation.json")
        return found

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = self.trained.document("model/model.json")
        return found


def small(problem: Problem, **training: Any) -> Table:
    options = {"estimator": of_problem("logistic-regression", problem), "refit_below": 2000, **training}
    return mixed(problem).with_training(**options)


def run(folder: Path, table: Table, champion: Mapping[str, str | Path] | None = None) -> Done:
    made = Run(folder, table, {"champion.accuracy": "not worse by 0.02"} if champion else None)
    prepared, trained = made.trained()
    evaluated = made.evaluate(prepared, trained)
    if champion:
        evaluated.put("processing/input/champion", champion)
    assert evaluated.run("evaluate") == 0
    return Done(table, prepared, trained, evaluated)


@pytest.fixture(scope="module", params=PROBLEMS)
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return run(tmp_path_factory.mktemp(request.param), small(request.param))


def test_the_model_that_ships_is_fitted_to_all_rows(done: Done, tmp_path: Path) -> None:
    everything = Samples.read(done.prepared.output("train"), done.table.contract)
    assert len(everything) == len(done.table.rows)
    assert done.facts["rows"] == {"train": 600, "holdout": 600}

    nothing_known = {"holdout": {"rule": "random"}}
    build(
        done.table.contract,
        everything,
        everything,
        nothing_known,
        tmp_path,
        tuned={},
        checkpoints=Checkpoints(),
    )
    shipped = (done.trained.base / "model" / artifact.MODEL).read_bytes()
    assert (tmp_path / artifact.MODEL).read_bytes() == shipped


def test_no_row_is_predicted_by_a_model_that_saw_it(done: Done) -> None:
    samples = Samples.read(done.prepared.output("holdout"), done.table.contract)
    plan = out_of_fold.plan(samples, done.table.contract)
    seen = marks(samples)

    assert len(plan.repeats) == 2
    assert plan.evaluated.all()
    for rounds in plan.repeats:
        assert np.sum([held for _, held in rounds], axis=0).tolist() == [1] * len(samples)
        for fitted, held in rounds:
            assert not set(seen[fitted]) & set(seen[held])
            assert (fitted | held).all()
    first, second = (np.argmax([held for _, held in rounds], axis=0) for rounds in plan.repeats)
    assert 0.1 < np.mean(first == second) < 0.4


def test_metrics_are_the_mean_of_the_repeats_and_the_reports_say_so(done: Done) -> None:
    found = OutOfFold.read(done.trained.base / "model")
    assert found is not None
    samples = Samples.read(done.prepared.output("holdout"), done.table.contract)
    truth = samples.coded_target(tuple(done.facts["classes"]))
    if done.table.contract.problem == "regression":
        name, each = "r2", [r2_score(truth, one) for one in found.predictions]
    elif done.table.contract.problem == "binary":
        name, each = "roc_auc", [roc_auc_score(truth, one) for one in found.predictions]
    else:
        name, each = "accuracy", [np.mean(one.argmax(axis=1) == truth) for one in found.predictions]

    value = done.evaluation["metrics"][name]
    assert value["value"] == pytest.approx(np.mean(each), abs=1e-9)
    assert value["low"] < value["value"] < value["high"]
    assert done.facts["metrics"][name] == pytest.approx(value["value"], abs=1e-9)
    page = (done.evaluated.output("evaluation") / "report.html").read_text()
    assert "repeated cross-validation" in page
    assert "600 rows predicted in cross-validation" in page


def test_golden_responses_are_those_of_the_model_that_ships(done: Done) -> None:
    golden = done.evaluated.document("processing/output/evaluation/golden.json")
    model = SealedModel(done.trained.base / "model")
    samples = Samples.read(done.prepared.output("holdout"), done.table.contract)
    chosen = np.unique(np.linspace(0, 599, 200).astype(int))
    predictions = model.rows(samples).predictions[chosen]

    responses = golden["responses"]
    if done.table.contract.problem == "binary":
        assert [one["probability"] for one in responses] == pytest.approx(predictions, abs=1e-6)
    assert len(responses) == 200


def test_the_baseline_counts_every_row_once(done: Done) -> None:
    baseline = done.trained.document("model/baseline.json")
    for part in ("features", "predictions"):
        assert {sum(column["counts"]) for column in baseline[part].values()} == {600}


def test_importance_and_robustness_are_of_rows_that_were_not_seen(tmp_path: Path) -> None:
    """Trees know their own rows by heart: to them even noise is important."""
    table = small("binary", estimator="hist-gradient-boosting")
    draw = np.random.default_rng(4)
    noise = [repr(float(x)) for x in draw.normal(size=len(table.rows))]
    feature = replace(table.contract.features[4], name="noise")
    features = (feature, *(f for f in table.contract.features if f.name == "ratio"))
    ratio = table.header.index("ratio")
    labels = ["yes" if (float(row[ratio] or 0) > 0) != (draw.random() < 0.3) else "no" for row in table.rows]
    rows = tuple((n, row[ratio], y) for n, row, y in zip(noise, table.rows, labels, strict=True))
    given = Table(replace(table.contract, features=features), ("noise", "ratio", "outcome"), rows)

    found = run(tmp_path, given).evaluation

    importance = {one["feature"]: one["permutation_mean"] for one in found["importance"]["features"]}
    assert importance["ratio"] > 0.1
    assert abs(importance["noise"]) < 0.05
    (noisy,) = (one for one in found["robustness"] if one["change"] == "noise")
    assert noisy["value"] - noisy["difference"] == pytest.approx(
        found["metrics"]["roc_auc"]["value"], abs=0.05
    )


def test_the_live_model_is_not_compared_on_what_it_knows_by_heart(tmp_path: Path) -> None:
    """The same model again is as good as itself, although it was fitted to all rows."""
    table = small("binary", estimator="hist-gradient-boosting")
    first = run(tmp_path / "first", table)
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as packed:
        packed.add(first.trained.base / "model", ".")
    version = json.dumps({"model_version": "m/1", "model_package_arn": "arn"})

    second = run(
        tmp_path / "second", table, {"champion.json": version, "model.tar.gz": tmp_path / "model.tar.gz"}
    )

    champion = second.evaluation["champion"]
    assert (champion["rows"], champion["may_know_rows"]) == (600, False)
    auc = champion["metrics"]["roc_auc"]
    assert auc["champion"] < 0.999
    assert abs(auc["difference"]) < 0.02
    assert second.evaluation["passed"]


def test_the_same_rows_give_the_same_bytes(done: Done, tmp_path: Path) -> None:
    _, again = Run(tmp_path, done.table).trained()
    sealed = [(job.base / "model" / artifact.DIGESTS).read_text() for job in (done.trained, again)]
    assert sealed[0] == sealed[1]
    assert artifact.OUT_OF_FOLD in sealed[0]


def test_the_newest_rows_are_predicted_by_a_model_of_the_older_ones(tmp_path: Path) -> None:
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    base = small("binary", holdout="newest")
    rows = tuple(((begin + timedelta(days=i)).isoformat(), *row) for i, row in enumerate(base.rows))
    table = Table(replace(base.contract, time=Time(name="at")), ("at", *base.header), rows)

    done = run(tmp_path, table)

    samples = Samples.read(done.prepared.output("holdout"), table.contract)
    assert done.facts["rows"] == {"train": 600, "holdout": 120}
    (((fitted, held),),) = out_of_fold.plan(samples, table.contract).repeats
    assert samples.times is not None
    assert samples.times[fitted].max() < samples.times[held].min()
    assert (
        "the model that ships is fitted to all rows"
        in (done.evaluated.output("evaluation") / "card.md").read_text()
    )


@pytest.mark.parametrize("training", [{"refit_below": 600}, {"search": Search(max_jobs=3)}])
def test_larger_tables_and_those_of_a_search_hold_rows_out(tmp_path: Path, training: dict[str, Any]) -> None:
    job = Run(tmp_path, small("binary", **training)).prepare()
    assert job.run("prepare") == 0
    train, held = (Samples.read(job.output(side), small("binary").contract) for side in ("train", "holdout"))
    assert len(train) + len(held) == 600
    assert json.loads((job.output("holdout") / "holdout.json").read_text())["refit"] is False


def test_rows_that_are_all_alike_cannot_be_told_apart_by_folds() -> None:
    labels = np.array(["a", "b"] * 15, object)
    samples = Samples(np.ones((30, 1), np.float32), np.empty((30, 0), object), labels)
    contract = replace(mixed().contract, problem="multiclass", features=mixed().contract.features[:1])
    with pytest.raises(DataError, match="differ too little"):
        out_of_fold.plan(samples, contract)


def test_an_artifact_of_other_rows_is_refused(done: Done, tmp_path: Path) -> None:
    rows = [*done.table.rows[1:], done.table.rows[0]]
    other = Run(tmp_path, replace(done.table, rows=tuple(rows)))
    prepared = other.prepare()
    assert prepared.run("prepare") == 0
    evaluated = other.evaluate(prepared, done.trained)
    assert evaluated.run("evaluate") == 1
    assert evaluated.message() == "Platform: the artifact was not tested on the rows of this run"
