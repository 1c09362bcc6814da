"""Measure a sealed artifact on the rows held out, and judge its gates.

It runs the very graph that will serve, from the bytes whose digests it reports.
"""

from __future__ import annotations

import json
import logging
import tarfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from contract import artifact
from contract.gates import Gate, missed
from contract.schema import Contract
from training import metrics
from training.failures import PlatformError
from training.graph import Graph
from training.inputs import DATASET_VERSION, check_code, read_contract
from training.paths import Paths
from training.samples import Samples

ARCHIVE = "model.tar.gz"

log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: inputs `model` (`model.tar.gz`), `holdout`, `contract`; output `evaluation/evaluation.json`.

    A missed gate is a result, not a failure: the pipeline's gate reads `passed` and `missed`.

    Raises:
        PlatformError: the archive is no sealed artifact of this contract.
    """
    contract = read_contract(paths.processing_input("contract"))
    code = check_code(contract, environ)
    holdout = Samples.read(paths.processing_input("holdout"), contract)
    with TemporaryDirectory() as folder:
        digests = unpack(paths.processing_input("model") / ARCHIVE, Path(folder))
        document = evaluate(contract, Path(folder), holdout)
    document |= {
        "artifact": digests,
        "dataset_version": environ.get(DATASET_VERSION, ""),
        "code_digest": code,
    }
    target = paths.processing_output("evaluation") / "evaluation.json"
    target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, metric in document["metrics"].items():
        log.info("%s=%s; (%s to %s)", name, metric["value"], metric["low"], metric["high"])
    log.info("gates: %s", "passed" if document["passed"] else document["missed"])


def evaluate(contract: Contract, folder: Path, holdout: Samples) -> dict[str, Any]:
    """Metrics with intervals, and each gate's verdict, of an unpacked artifact.

    Raises:
        PlatformError: the artifact was made for another contract.
    """
    if (folder / artifact.CONTRACT).read_text(encoding="utf-8") != contract.to_json():
        raise PlatformError("the artifact was trained for another contract than this run's")
    classes = tuple(json.loads((folder / artifact.FACTS).read_text(encoding="utf-8"))["classes"])
    graph = Graph((folder / artifact.MODEL).read_bytes())
    found = graph.run(holdout.numbers, holdout.categories).astype(np.float64)
    predictions = metrics.of_problem(contract.problem, found)
    truth = holdout.coded_target(classes)
    intervals = metrics.with_intervals(contract.problem, truth, predictions, contract.training.seed)
    values = metrics.measure(contract.problem, truth, predictions)
    verdicts = [
        {
            "gate": str(gate),
            "value": intervals[gate.metric]["value"],
            "passed": gate.passes(values[gate.metric]),
        }
        for gate in (Gate.parse(metric, condition) for metric, condition in contract.gates.items())
    ]
    return {
        "problem": contract.problem,
        "rows": len(holdout),
        "metrics": intervals,
        "gates": verdicts,
        "passed": all(verdict["passed"] for verdict in verdicts),
        "missed": "; ".join(missed(contract.gates, values)),
    }


def unpack(archive: Path, folder: Path) -> dict[str, str]:
    """Unpack an artifact to a folder and check it against its seal; its files' digests.

    Raises:
        PlatformError: it cannot be read, or is not as it was sealed.
    """
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        return artifact.verify(folder)
    except (OSError, tarfile.TarError, artifact.ArtifactError) as error:
        raise PlatformError(f"{archive.name} is no sealed artifact: {error}") from error
