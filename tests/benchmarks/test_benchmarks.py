"""The benchmarks run, small: what they compare is the same model, and they print what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks import tables
from benchmarks.__main__ import app
from benchmarks.load import Load, drive, http_request
from benchmarks.models import Models, fitted
from benchmarks.report import ratio
from benchmarks.servers import constant
from benchmarks.suites import requests
from contract.serving import CSV, JSON
from scoring.server.predictor import Predictor

pytestmark = pytest.mark.slow

SMALL = "300"


def run(root: Path, *arguments: str) -> str:
    """What a benchmark prints; it must end well."""
    environ = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "160"}
    command = [sys.executable, "-m", "benchmarks", *arguments]
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return fitted("logistic-regression", tmp_path_factory.mktemp("models"), rows=400)


def test_serving(root: Path) -> None:
    printed = run(
        root,
        *("serving", "--no-peers", "--rounds", "1", "--seconds", "0.01"),
        *("--estimator", "logistic-regression", "--training-rows", SMALL),
    )
    assert printed.count("× (constant + session.run)") == 4
    for what in ("1 row of CSV", "1 row of JSON", "100 rows of CSV", "100 rows of JSON"):
        assert f"logistic-regression, {what}" in printed


def test_files(root: Path) -> None:
    small = ("--rounds", "1", "--estimator", "logistic-regression", "--training-rows", SMALL)
    printed = run(root, "files", "--rows", "500", *small)
    assert "pandas.read_csv + pipeline + to_csv" in printed
    assert "Millrace's peak at 2,000 rows" in printed


def test_training(root: Path) -> None:
    printed = run(root, "training", "--rows", "1500", "--estimator", "logistic-regression")
    for what in (
        "pandas and scikit-learn",
        "validate",
        "prepare",
        "train",
        "evaluate",
        "all jobs",
        "Overhead",
    ):
        assert what in printed


def test_drift(root: Path) -> None:
    printed = run(root, "drift", "--models", "1", "--windows", "5")
    assert printed.count("a window, correlation") == 4
    assert "median windows to the alarm" in printed


def test_cold_start(root: Path) -> None:
    printed = run(root, "cold_start", "--runs", "1")
    for function in (path.parent.name for path in (root / "lambdas").glob("*/handler.py")):
        assert function in printed, "every function has an event in benchmarks.suites.cold_start.EVENTS"


@pytest.mark.parametrize("command", ["serving", "files", "uploads", "large", "cold_start"])
def test_help(command: str) -> None:
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.output


def test_both_formats_ask_for_the_same_rows(models: Models) -> None:
    predictor, samples = Predictor(models.artifact), tables.draw(30, seed=1)
    from_csv = predictor.respond(CSV, requests.csv_body(samples))
    assert from_csv == predictor.respond(JSON, requests.json_body(samples))
    assert from_csv.count("prediction") == 30


def test_a_table_is_as_long_as_asked_for_and_the_same_each_time(tmp_path: Path) -> None:
    first = tables.write_csv(tmp_path / "a.csv", tables.BLOCK_ROWS + 7).read_bytes()
    assert first.count(b"\n") == tables.BLOCK_ROWS + 8
    assert first == tables.write_csv(tmp_path / "b.csv", tables.BLOCK_ROWS + 7).read_bytes()


@pytest.mark.parametrize("connections", [1, 3])
def test_a_load_is_made_of_whole_answers(tmp_path: Path, connections: int) -> None:
    with constant("asgi", tmp_path) as port:
        load = drive(port, http_request("/", "text/csv", b"x" * 100_000), connections, 0.01, least=30)
    assert len(load.latencies) >= 30
    assert load.rate > 0
    assert 0 < load.percentile(50) <= load.percentile(99) <= load.seconds


def test_figures() -> None:
    load = Load([1.0, 2.0, 3.0, 4.0], 8.0)
    assert (load.rate, load.percentile(50), load.percentile(99)) == (0.5, 3.0, 4.0)
    assert ratio([2.0, 9.0, 40.0], [1.0, 3.0, 10.0]) == 3.0
