"""`python -m training`: help, failures in the files that SageMaker reads, and the code it runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from container.entry_point import JOBS, main
from container.errors import LIMIT_BYTES, DataError, ModelCodeError, PlatformError, report, shorten
from container.paths import CODE, Paths
from contract.code import code_digest
from contract.names.jobs import Folder
from tests.fixtures.folders import Job, Run
from tests.fixtures.tables import tumor


def test_help_names_every_job(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(job in said for job in JOBS)


def test_files_are_where_sagemaker_puts_them() -> None:
    assert Paths.from_environ({}).channel(Folder.TRAIN) == Path("/opt/ml/input/data/train")
    assert Paths.from_environ({}).processing_input(Folder.MODEL) == Path("/opt/ml/processing/input/model")


@pytest.mark.slow
def test_a_job_is_one_process_that_prints_plain_lines(tmp_path: Path) -> None:
    prepared = Run(tmp_path, tumor()).prepare()
    assert prepared.run("prepare") == 0
    trained = Run(tmp_path, tumor()).train(prepared)
    process = trained.spawn("train")
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert " holdout:roc_auc=0.9" in output
    assert "fitting hist-gradient-boosting on " in output
    assert not (trained.base / "output" / "failure").exists()


@pytest.mark.slow
def test_a_failed_job_says_why_where_sagemaker_looks(tmp_path: Path) -> None:
    for job, file in (
        ("train", "failure"),
        ("validate", "message"),
        ("prepare", "message"),
        ("evaluate", "message"),
    ):
        failed = Job(tmp_path / job)
        process = failed.spawn(job) if job == "train" else None
        code = process.wait(timeout=60) if process else failed.run(job)
        assert code == 1
        reason = (failed.base / "output" / file).read_text()
        assert reason.startswith("Platform: the contract cannot be read from ")
        if process:
            assert process.communicate()[1] == f"train: {reason}\n"


def test_jobs_run_only_the_code_that_was_deployed(tmp_path: Path) -> None:
    job = Run(tmp_path, tumor()).validate()
    job.environ["MILLRACE_CODE_DIGEST"] = code_digest(CODE, "tumor")
    assert job.run("validate") == 0
    job.environ["MILLRACE_CODE_DIGEST"] = "0" * 64
    assert job.run("validate") == 1
    assert "Run ./millrace deploy, then train again" in job.message()


@pytest.mark.slow
def test_documents_name_dataset_and_code(tmp_path: Path) -> None:
    run = Run(tmp_path, tumor())
    prepared = run.prepare()
    assert prepared.run("prepare") == 0
    trained = run.train(prepared)
    trained.environ["MILLRACE_DATASET_VERSION"] = "d" * 64
    assert trained.run("train") == 0
    evaluated = run.evaluate(prepared, trained)
    evaluated.environ["MILLRACE_DATASET_VERSION"] = "d" * 64
    assert evaluated.run("evaluate") == 0
    for document in (
        trained.document("model/model.json"),
        evaluated.document("processing/output/evaluation/evaluation.json"),
    ):
        assert document["dataset_version"] == "d" * 64
        assert document["code_digest"] == code_digest(CODE, "tumor")


def test_prepare_refuses_what_validate_would_have(tmp_path: Path) -> None:
    table = tumor()
    rows = [list(row) for row in table.rows]
    rows[3][2] = "x"
    job = Run(tmp_path, table).prepare({"a.csv": table.csv(rows)})
    assert job.run("prepare") == 1
    assert job.message() == (
        "Data: a.csv has values that validate would have refused, such as mean_perimeter: 'x' is not a number."
    )


def test_prepare_refuses_a_side_without_rows(tmp_path: Path) -> None:
    table = tumor().with_training(holdout_share=0.0)
    job = Run(tmp_path, table).prepare()
    assert job.run("prepare") == 1
    assert job.message() == "Data: no row fell into holdout: add rows, or change training.holdout_share."


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (DataError("x"), "Data: x"),
        (ModelCodeError("x"), "Model code: x"),
        (PlatformError("x"), "Platform: x"),
        (KeyError("x"), "Platform: KeyError: 'x' (traceback in the job's log)"),
    ],
)
def test_failures_say_whose_they_are(tmp_path: Path, failure: Exception, text: str) -> None:
    assert report(failure, tmp_path / "failure") == text
    assert (tmp_path / "failure").read_text() == text


@pytest.mark.parametrize("character", ["a", "ü", "€", "🌊"])
def test_messages_are_cut_between_characters(character: str) -> None:
    cut = shorten(character * 2000, LIMIT_BYTES)
    assert LIMIT_BYTES - 8 < len(cut.encode()) <= LIMIT_BYTES
    assert set(cut) == {character, "…"}
    assert shorten(character * 10, LIMIT_BYTES) == character * 10


def test_a_job_that_is_stopped_ends_at_once(job: Job) -> None:
    """In a container it is process 1, for which SIGTERM means nothing unless it is handled.

    SageMaker would wait for 120 seconds, which it charges for, whenever it stops a trial early.
    """
    contract = job.base / "processing" / "input" / "contract" / "contract.json"
    contract.parent.mkdir(parents=True)
    os.mkfifo(contract)
    process = job.spawn("validate")
    with contract.open("wb"):  # the job has begun to read
        process.terminate()
        _, told = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert told == "stopped by SIGTERM\n"
