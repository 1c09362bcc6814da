"""A pipeline's jobs on a generated table, beside plain scikit-learn code that does the same fit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks import tables
from benchmarks.environment import FOLDER, ROOT
from benchmarks.memory import watched
from benchmarks.report import console, judged, machine, table
from contract.layout import CHAMPION_FILE

ALLOWED_SECONDS = 15.0
ALLOWED_BYTES = 6 * 1024**3
PLAIN = "benchmarks.plain"
POLITE = {"OMP_WAIT_POLICY": "PASSIVE"}
"""As the image has it: threads that wait do not take the cores from those that work."""
Estimator = Annotated[str, typer.Option(help="A built-in estimator of benchmarks.tables.ESTIMATORS.")]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Seconds and greatest resident bytes of each process by its name, and the ROC AUC at the end."""

    seconds: Mapping[str, float]
    peaks: Mapping[str, int]
    roc_auc: float


def training(
    rows: Annotated[int, typer.Option(help="Of the table, which has 30 features.")] = 100_000,
    estimator: Estimator = "hist-gradient-boosting",
) -> None:
    """The pipeline's jobs as processes: seconds, memory and ROC AUC beside plain scikit-learn code."""
    path = tables.write_csv(FOLDER / f"training-{rows}.csv", rows, with_target=True)
    megabytes = path.stat().st_size / 1e6
    console.print(f"{estimator}, {rows:,} rows × 30 features, {megabytes:.0f} MB. {machine()}")
    plain = of_plain_code(path, estimator)
    with TemporaryDirectory() as folder:
        jobs = of_jobs(path, estimator, Path(folder))
    _show(jobs, plain)


def of_plain_code(path: Path, estimator: str) -> Figures:
    """A process of pandas and scikit-learn alone."""
    command = [sys.executable, "-m", PLAIN, str(path), estimator]
    environ = {**os.environ, **POLITE}
    with watched(os.getpid()) as peaks:
        begin = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - begin
    peak = next(size for name, size in peaks.bytes.items() if name.startswith(PLAIN))
    return Figures(seconds={PLAIN: seconds}, peaks={PLAIN: peak}, roc_auc=json.loads(done.stdout))


def of_jobs(path: Path, estimator: str, folder: Path) -> Figures:
    """The pipeline's jobs one after the other, each in a folder as SageMaker would make it."""
    contract = tables.contract(estimator).to_json()
    nobody = json.dumps({"model_version": None, "model_package_arn": None})

    def put(job: str, where: str, name: str, content: str | Path) -> None:
        target = folder / job / where / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, target)
        else:
            target.write_text(content, encoding="utf-8")

    outputs = {job: folder / job / "processing" / "output" for job in ("validate", "prepare", "evaluate")}
    for job in outputs:
        put(job, "processing/input/contract", "contract.json", contract)
        put(job, "processing/input/champion", CHAMPION_FILE, nobody)
    put("evaluate", "processing/input/gates", "gates.json", "{}")
    put("train", "input/data/contract", "contract.json", contract)
    samples = "samples.parquet"
    for job in ("validate", "prepare"):
        put(job, "processing/input/dataset", path.name, path)

    seconds: dict[str, float] = {}
    with watched(os.getpid()) as peaks:
        seconds["validate"] = _run("validate", folder)
        seconds["prepare"] = _run("prepare", folder)
        for side in ("train", "holdout"):
            for made in (outputs["prepare"] / side).iterdir():
                put("train", f"input/data/{side}", made.name, made)
        seconds["train"] = _run("train", folder)
        report = outputs["validate"] / "report" / "report.json"
        put("evaluate", "processing/input/validation", report.name, report)
        put("evaluate", "processing/input/holdout", samples, outputs["prepare"] / "holdout" / samples)
        archive = folder / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(folder / "train" / "model", ".")
        put("evaluate", "processing/input/model", archive.name, archive)
        seconds["evaluate"] = _run("evaluate", folder)
    document = json.loads((outputs["evaluate"] / "evaluation" / "evaluation.json").read_text())
    of_training = {name: size for name, size in peaks.bytes.items() if name.startswith("training")}
    return Figures(seconds=seconds, peaks=of_training, roc_auc=document["metrics"]["roc_auc"]["value"])


def _run(job: str, folder: Path) -> float:
    environ = {**os.environ, "SAGEMAKER_BASE_DIR": str(folder / job), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "training", job]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{job} failed: {done.stderr[-2000:]}")
    return time.perf_counter() - begin


def _show(jobs: Figures, plain: Figures) -> None:
    made = table("", "process", "seconds", "peak MiB")
    for name, seconds in plain.seconds.items():
        made.add_row("pandas and scikit-learn", f"{seconds:.1f}", _mebibytes(plain.peaks[name]))
    for job, seconds in jobs.seconds.items():
        made.add_row(job, f"{seconds:.1f}", _mebibytes(jobs.peaks[f"training {job}"]))
    for name in jobs.peaks.keys() - {f"training {job}" for job in jobs.seconds}:
        made.add_row(f"  {name.split()[0]}", "", _mebibytes(jobs.peaks[name]))
    total, alone = sum(jobs.seconds.values()), sum(plain.seconds.values())
    made.add_row("all jobs", f"{total:.1f}", _mebibytes(max(jobs.peaks.values())))
    console.print(made)
    overhead, peak = total - alone, max(jobs.peaks.values())
    console.print(
        f"Overhead {judged(f'{overhead:.1f} s', overhead <= ALLOWED_SECONDS)} of 15 s allowed; "
        f"peak {judged(f'{peak / 1024**3:.2f} GiB', peak <= ALLOWED_BYTES)} of 6 GiB; "
        f"ROC AUC {jobs.roc_auc:.4f}, plain {plain.roc_auc:.4f}"
    )


def _mebibytes(size: int) -> str:
    return f"{size / 1024**2:,.0f}"
