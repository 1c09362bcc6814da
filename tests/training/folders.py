"""Jobs as SageMaker runs them: a folder with its layout, and `python -m training JOB`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract.schema import Contract
from tests.training.tables import Table
from training.__main__ import main
from training.paths import CODE

Files = Mapping[str, str | Path]
NOBODY: Files = {"champion.json": '{"model_version": null, "model_package_arn": null}'}
"""The champion of a run that is started before any release."""


@dataclass
class Job:
    """One job's folder. Its inputs are given by their path in it."""

    base: Path
    environ: dict[str, str] = field(default_factory=dict)

    def put(self, folder: str, files: Files) -> Job:
        target = self.base / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, source in files.items():
            if isinstance(source, Path):
                shutil.copy(source, target / name)
            else:
                (target / name).write_bytes(source.encode("utf-8", "surrogateescape"))
        return self

    def contract(self, folder: str, contract: Contract) -> Job:
        return self.put(folder, {"contract.json": contract.to_json()})

    def run(self, job: str) -> int:
        """Exit code, in this process."""
        return main([job], {**self.environ, "SAGEMAKER_BASE_DIR": str(self.base)})

    def spawn(self, job: str, **options: Any) -> subprocess.Popen[str]:
        """The job as a process of its own, as on SageMaker."""
        self.base.mkdir(parents=True, exist_ok=True)
        environ = {
            **os.environ,
            **self.environ,
            "SAGEMAKER_BASE_DIR": str(self.base),
            "PYTHONPATH": str(CODE),
        }
        command = [sys.executable, "-m", "training", job]
        return subprocess.Popen(
            command,
            env=environ,
            cwd=self.base,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def output(self, name: str) -> Path:
        return self.base / "processing" / "output" / name

    def document(self, name: str) -> Any:
        return json.loads((self.base / name).read_text(encoding="utf-8"))

    def message(self) -> str:
        return (self.base / "output" / "message").read_text(encoding="utf-8")


class Run:
    """A pipeline run of a table: its four jobs, each in its own folder."""

    def __init__(self, folder: Path, table: Table, gates: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.table = table
        self.gates = gates or {}

    def validate(self, files: Files | None = None) -> Job:
        return self._on_dataset("validate", files)

    def prepare(self, files: Files | None = None) -> Job:
        return self._on_dataset("prepare", files)

    def _on_dataset(self, name: str, files: Files | None) -> Job:
        job = self.job(name).contract("processing/input/contract", self.table.contract)
        job.put("processing/input/champion", NOBODY)
        return job.put("processing/input/dataset", {"a.csv": self.table.csv()} if files is None else files)

    def train(self, prepared: Job) -> Job:
        job = self.job("train").contract("input/data/contract", self.table.contract)
        for side in ("train", "holdout"):
            job.put(f"input/data/{side}", {path.name: path for path in prepared.output(side).iterdir()})
        return job

    def evaluate(self, prepared: Job, trained: Job) -> Job:
        archive = self.folder / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(trained.base / "model", ".")
        job = self.job("evaluate").contract("processing/input/contract", self.table.contract)
        job.put("processing/input/model", {"model.tar.gz": archive})
        job.put("processing/input/champion", NOBODY)
        job.put("processing/input/validation", self._report())
        job.put("processing/input/gates", {"gates.json": json.dumps(self.gates)})
        return job.put(
            "processing/input/holdout", {"samples.parquet": prepared.output("holdout") / "samples.parquet"}
        )

    def _report(self) -> Files:
        """What `validate` wrote of the table; it runs where it has not."""
        job = self.job("validate")
        if not job.output("report").exists():
            assert self.validate().run("validate") == 0
        return {path.name: path for path in job.output("report").iterdir()}

    def job(self, name: str) -> Job:
        return Job(self.folder / name)

    def trained(self) -> tuple[Job, Job]:
        """The finished `prepare` and `train` jobs."""
        prepared = self.prepare()
        assert prepared.run("prepare") == 0
        trained = self.train(prepared)
        assert trained.run("train") == 0
        return prepared, trained
