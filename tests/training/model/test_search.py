"""A search from its trials to the model: what a trial may see, what it leaves, and what is made of it."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from container.errors import DataError
from contract.schema import Problem
from contract.search import OBJECTIVES, Range, Search
from tests.fixtures.folders import Job, Run
from tests.fixtures.tables import Table, diabetes, samples_of, tumor, wine
from training.model.checkpoints import Checkpoints
from training.model.cross_validation import folds, unseen
from training.model.search import trials
from training.model.threshold_choice import choose
from training.model.trial import measured

pytestmark = pytest.mark.slow

SPACE = {"max_iter": Range(type="integer", minimum=2, maximum=40)}


def searched(table: Table, **changes: Any) -> Table:
    search = Search(max_jobs=3, objective=OBJECTIVES[table.contract.problem], parameters=SPACE, **changes)
    training = replace(
        table.contract.training,
        estimator="hist-gradient-boosting",
        parameters={"max_leaf_nodes": 4},
        search=search,
    )
    return replace(table, contract=replace(table.contract, training=training))


def trial(run: Run, prepared: Job, number: int, **parameters: str) -> Job:
    """A trial as SageMaker starts it: with no channel that holds the holdout."""
    job = run.job(f"tune-{number:03d}").contract("input/data/contract", run.table.contract)
    job.put("input/data/train", {"samples.parquet": prepared.output("train") / "samples.parquet"})
    given = {"_tuning_objective_metric": "validation:any", **parameters}
    job.put("input/config", {"hyperparameters.json": json.dumps(given)})
    job.environ["MILLRACE_TRIAL"] = "true"
    return job


def archived(job: Job, folder: Path) -> Path:
    folder.mkdir(parents=True)
    with tarfile.open(folder / "model.tar.gz", "w:gz") as packed:
        packed.add(job.base / "model", ".")
    return folder / "model.tar.gz"


@pytest.mark.parametrize("table", [tumor, wine, diabetes])
def test_the_best_trial_is_what_is_trained_and_reported(tmp_path: Path, table: Any) -> None:
    run = Run(tmp_path, searched(table()))
    prepared = run.prepare()
    assert prepared.run("prepare") == 0
    found = tmp_path / "trials"
    for number, iterations in enumerate(("2", "30", "9"), 1):
        job = trial(run, prepared, number, max_iter=iterations)
        assert job.run("train") == 0
        archived(job, found / f"tune-{number:03d}" / "output")
    trained = run.train(prepared)
    trained.put("input/data/tuned", {"model.tar.gz": found / "tune-002" / "output" / "model.tar.gz"})
    assert trained.run("train") == 0
    assert trained.document("model/model.json")["parameters"] == {"max_leaf_nodes": 4, "max_iter": 30}

    evaluated = run.evaluate(prepared, trained)
    for number in (1, 2, 3):
        place = f"tune-{number:03d}/output"
        evaluated.put(f"processing/input/trials/{place}", {"model.tar.gz": found / place / "model.tar.gz"})
    assert evaluated.run("evaluate") == 0
    search = evaluated.document("processing/output/evaluation/evaluation.json")["search"]
    assert [one["parameters"] for one in search["trials"]] == [{"max_iter": n} for n in (2, 30, 9)]
    assert [one["chosen"] for one in search["trials"]] == [False, True, False]
    worse, better = search["trials"][0]["value"], search["trials"][1]["value"]
    assert better < worse if search["lower_is_better"] else better > worse
    page = (evaluated.output("evaluation") / "report.html").read_text()
    assert "tune-002" in page
    assert "Each trial" in page
    assert "3 trials" in (evaluated.output("evaluation") / "card.json").read_text()


def test_a_trial_logs_what_it_measures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(tmp_path, searched(tumor(), early_stopping=True))
    prepared = run.prepare()
    assert prepared.run("prepare") == 0
    with caplog.at_level("INFO"):
        assert trial(run, prepared, 1, max_iter="20").run("train") == 0
    told = [line for line in caplog.messages if line.startswith("validation:roc_auc=")]
    assert len(told) == 3
    left = run.job("tune-001").document("model/trial.json")
    assert left["share"] == 1
    assert told[-1] == f"validation:roc_auc={left['metrics']['roc_auc']:.6f};"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"MILLRACE_CODE_DIGEST": "0" * 64}, "the code changed since it was deployed"),
        ({}, "the trial was not given max_iter"),
        ({"max_iter": "-1"}, "cannot be built|fails to fit"),
        ({"max_iter": "many"}, "invalid literal"),
    ],
)
def test_a_trial_that_fails_says_why(tmp_path: Path, given: dict[str, str], sentence: str) -> None:
    run = Run(tmp_path, searched(tumor()))
    prepared = run.prepare()
    assert prepared.run("prepare") == 0
    job = trial(run, prepared, 1, **given)
    assert job.run("train") == 1
    failure = (job.base / "output" / "failure").read_text()
    assert failure.startswith(("Model code: ", "Platform: the code"))
    assert any(part in failure for part in sentence.split("|"))


@pytest.mark.parametrize("setting", [0.2, {"rule": "recall", "at_least": 0.95}, {"rule": "f1"}])
def test_a_trial_is_measured_at_the_threshold_its_model_would_have(setting: Any) -> None:
    contract, samples = samples_of("binary")
    search = replace(contract.training.search, objective="f1")
    training = replace(contract.training, search=search, estimator="logistic-regression")
    contract = replace(contract, training=training, target=replace(contract.target, threshold=setting))
    scores, rows = measured(samples, contract, Checkpoints(), 1.0)
    chosen = choose(contract, lambda: unseen(samples, contract, Checkpoints()))
    assert chosen is not None
    predicted = replace(unseen(samples, contract, Checkpoints()), threshold=chosen["value"])
    assert rows == len(predicted)
    assert scores["f1"] == predicted.score("f1") != replace(predicted, threshold=0.5).score("f1")


def test_no_search_has_no_trials(tmp_path: Path) -> None:
    assert trials(tmp_path, tumor().contract, {}) is None


@pytest.mark.parametrize("problem", ["binary", "multiclass", "regression"])
def test_rows_are_predicted_by_models_that_did_not_see_them(problem: Problem) -> None:
    """Trees that could learn each row by heart know nothing of rows with a target of pure chance."""
    contract, samples = samples_of(problem)
    parameters = {"max_iter": 5, "max_leaf_nodes": 200, "min_samples_leaf": 1}
    training = replace(contract.training, estimator="hist-gradient-boosting", parameters=parameters)
    contract = replace(contract, training=training)
    chance = np.random.default_rng(0).permutation(samples.target)
    samples = replace(samples, target=chance)
    rows = unseen(samples, contract, Checkpoints())
    assert len(rows) == len(samples)
    metric, least, most = {
        "binary": ("roc_auc", 0.4, 0.6),
        "multiclass": ("roc_auc", 0.4, 0.6),
        "regression": ("r2", -9, 0.1),
    }[problem]
    assert least < rows.score(metric) < most


def test_rows_that_no_model_can_tell_apart_are_in_one_fold() -> None:
    _, samples = samples_of("binary")
    twice = type(samples).joined([samples, samples])
    dealt = folds(twice, np.zeros(len(twice)))
    assert (dealt[: len(samples)] == dealt[len(samples) :]).all()
    assert set(dealt) == set(range(5))


def test_two_different_rows_are_enough_to_choose_on() -> None:
    """Such as those of a model with one feature that is true or false."""
    contract, samples = samples_of("binary")
    two = samples.where(np.isin(np.arange(len(samples)), np.flatnonzero(samples.target == "no")[:2]))
    many = type(samples).joined([two] * 40)
    many.target[::5] = "yes"
    assert len(unseen(many, contract, Checkpoints())) == len(many)


@pytest.mark.parametrize("target", ["no", "yes"])
def test_rows_that_differ_in_nothing_teach_nothing_to_choose_by(target: str) -> None:
    contract, samples = samples_of("binary")
    same = type(samples).joined([samples.where(np.arange(len(samples)) == 0)] * 40)
    same.target[:] = target
    same.target[::5] = "yes"
    with pytest.raises(DataError, match="differ too little in their features"):
        unseen(same, contract, Checkpoints())


def test_a_class_that_is_in_one_fold_only_costs_no_trial() -> None:
    contract, samples = samples_of("multiclass")
    classes = len(samples.classes(contract))
    rare = samples.target.copy()
    rare[0] = "rare"
    contract = replace(contract, training=replace(contract.training, parameters={"max_iter": 5}))
    rows = unseen(replace(samples, target=rare), contract, Checkpoints())
    assert rows.predictions.shape == (len(samples), classes + 1)
    assert np.isfinite(rows.score("log_loss"))


def test_what_an_interrupted_job_did_is_not_done_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    contract, samples = samples_of("binary")
    checkpoints = Checkpoints(tmp_path)
    whole = unseen(samples, contract, Checkpoints())

    first = unseen(samples, contract, checkpoints)
    lost = sorted(tmp_path.iterdir())[0]
    lost.unlink()
    (tmp_path / f"{lost.stem}.part").write_bytes(b"half of it")
    with caplog.at_level("INFO"):
        again = unseen(samples, contract, checkpoints)
    for rows in (first, again):
        assert (rows.predictions == whole.predictions).all()
    assert sum("resumed" in line for line in caplog.messages) == 4
    assert not list(tmp_path.glob("*.part"))
    other = replace(contract, training=replace(contract.training, seed=8))
    caplog.clear()
    unseen(samples, other, checkpoints)
    assert not any("resumed" in line for line in caplog.messages)


def test_no_pickle_is_loaded_from_a_checkpoint(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.array("fold", lambda: np.zeros(3))
    (kept,) = tmp_path.glob("*.npy")
    np.save(kept, np.array([Path("anything")], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        checkpoints.array("fold", lambda: np.zeros(3))
