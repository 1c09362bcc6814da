"""Everything a report is written from: what the run's jobs found, and where it all came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from container.paths import Paths
from contract.documents.evaluation import Evaluation, Slice
from contract.schema import Contract
from training.data.holdout import Holdout

JOB = "processingjobconfig.json"
"""SageMaker's description of a processing job, in its folder `config`."""


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """The place and the inputs of a run's evaluation; empty where the job was run by hand.

    `run_uri` is the run's folder in S3, `model_uri` the archive that was evaluated, `validation_uri`
    the folder with what validation said of the data, maybe in an earlier run, `execution` the
    pipeline execution's id, and `image` the image with its tag or digest.
    """

    run_uri: str = ""
    model_uri: str = ""
    validation_uri: str = ""
    image: str = ""
    job: str = ""
    execution: str = ""

    @classmethod
    def read(cls, paths: Paths) -> Self:
        """Read SageMaker's description of the job, if SageMaker runs it."""
        try:
            job = json.loads((paths.base / "config" / JOB).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls()
        name = job["ProcessingJobArn"].rpartition("/")[2]
        inputs = {item["InputName"]: item["S3Input"]["S3Uri"] for item in job.get("ProcessingInputs", [])}
        outputs = [
            item["S3Output"]["S3Uri"] for item in job.get("ProcessingOutputConfig", {}).get("Outputs", [])
        ]
        return cls(
            # Of an output `<run>/<job>/<output>`.
            run_uri=outputs[0].rstrip("/").rsplit("/", 2)[0] if outputs else "",
            model_uri=inputs.get("model", ""),
            validation_uri=inputs.get("validation", ""),
            image=job["AppSpecification"]["ImageUri"],
            job=name,
            # A pipeline names its jobs `pipelines-<execution>-<step>-<more>`.
            execution=name.split("-")[1] if name.startswith("pipelines-") else "",
        )


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A run: `evaluation` is what evaluation.json says, `model` what the artifact's model.json does.

    `validation` is validate's report.json, or None where it was not handed over; `trials` are
    those of the search for hyperparameters, empty where there was none.
    """

    contract: Contract
    evaluation: Evaluation
    model: Mapping[str, Any]
    validation: Mapping[str, Any] | None = None
    trials: Sequence[Mapping[str, Any]] = ()
    lineage: Lineage = field(default_factory=Lineage)

    @property
    def holdout(self) -> Holdout:
        """Which rows were held out, and whether the model that ships was fitted to them after all."""
        return Holdout.of(self.model)

    @property
    def tested(self) -> str:
        """The rows that the model was measured on, in a few words."""
        rows = f"{self.evaluation['rows']:,} rows"
        return f"{rows} predicted in cross-validation" if self.holdout.cross_validated else f"{rows} held out"

    @property
    def verdict(self) -> str:
        """The verdict of the gates, in a sentence."""
        gates = self.evaluation["gates"]
        missed = sum(not gate["passed"] for gate in gates)
        if not gates:
            return "model.toml names no gates, so nothing was asked of this model."
        if not missed:
            return "It passes its gate." if len(gates) == 1 else f"It passes all {len(gates)} gates."
        which = "its gate" if len(gates) == 1 else f"{missed} of {len(gates)} gates"
        return f"It misses {which} and is not registered."

    @property
    def slices(self) -> list[Slice]:
        """The slices that are a part of the holdout, worst first: one of all its rows says nothing new."""
        slices = self.evaluation["slices"]
        return [one for one in slices["worst_first"] if one["rows"] < slices["sampled_rows"]]

    @property
    def dataset(self) -> str:
        """The dataset version, or a word where the job was run by hand on files that have none."""
        return self.evaluation["dataset_version"] or "unversioned"
