"""Fit a model, export it, prove that the export predicts the same, and seal the artifact."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from container.inputs import check_code, read_contract
from container.paths import Paths
from contract import artifact
from contract.gates import METRICS
from contract.names.jobs import Folder, Variable
from contract.names.runs import Origin
from contract.schema import Contract
from metrics.bootstrap import defined
from monitoring.baseline import describe
from tabular.onnx_session import Graph
from tabular.samples import Samples
from training.data.holdout import Holdout
from training.model import search, trial
from training.model.checkpoints import Checkpoints
from training.model.fit import fit
from training.model.onnx_export import TOLERANCE, check_detached, check_parity, to_onnx
from training.model.tested import by_folds, on_holdout

LIBRARIES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")

log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: channels `train`, `holdout` and `contract`; fills the model folder with the sealed artifact.

    A channel `tuned` has the best trial of a search, whose parameters are taken. A job that is
    itself a trial, which SageMaker cannot give another command, leaves its measurement instead.

    Raises:
        ModelCodeError: the estimator cannot be built, fitted or exported, or ONNX disagrees.
        PlatformError: a channel is not what `prepare` wrote, or the exported graph cannot be served.
    """
    if environ.get(Variable.TRIAL):
        trial.run(paths)
        return
    contract = read_contract(paths.channel(Folder.CONTRACT))
    code = check_code(contract, environ)
    tuned = search.tuned(paths.channel(Folder.TUNED))
    train = Samples.read(paths.channel(Folder.TRAIN), contract)
    holdout = Samples.read(paths.channel(Folder.HOLDOUT), contract)
    log.info("fitting %s on %d rows", contract.training.estimator, len(train))
    facts = {
        Origin.DATASET_VERSION: environ.get(Variable.DATASET_VERSION, ""),
        Origin.CODE_DIGEST: code,
        "holdout": asdict(Holdout.read(paths.channel(Folder.HOLDOUT))),
    }
    checkpoints = Checkpoints(paths.checkpoints)
    sealed = build(contract, train, holdout, facts, paths.model, tuned=tuned, checkpoints=checkpoints)
    log.info("sealed %s", ", ".join(f"{name} {digest[:12]}" for name, digest in sealed.items()))


def build(
    contract: Contract,
    train: Samples,
    holdout: Samples,
    facts: Mapping[str, Any],
    folder: Path,
    *,
    tuned: Mapping[str, Any],
    checkpoints: Checkpoints,
) -> dict[str, str]:
    """Fit, export, check and write an artifact to a folder; its files' digests.

    Where `facts` say that the model is refit, `train` is all rows.
    """
    fitted = search.with_parameters(contract, tuned)
    model = fit(train, fitted)
    onnx = to_onnx(model, contract)
    graph = Graph(onnx)
    parity = check_parity(model, graph, holdout)
    check_detached(onnx, holdout)
    log.info("ONNX and scikit-learn differ by %.2g at most (%g allowed)", parity, TOLERANCE)
    refit = Holdout.of(facts).refit
    if refit:
        tested = by_folds(train, fitted, checkpoints)
    else:
        tested = on_holdout(graph, train, holdout, fitted, checkpoints)
    scores = {name: tested.rows.score(name) for name in METRICS[contract.problem]}
    for name, value in scores.items():
        log.info("holdout:%s=%.6f;", name, value)
    document = {
        "model": contract.model,
        "problem": contract.problem,
        "classes": model.classes,
        "parameters": fitted.training.parameters,
        "threshold": tested.threshold,
        **facts,
        "rows": {"train": len(train), "holdout": len(tested.samples)},
        "parity": {"largest_difference": parity, "tolerance": TOLERANCE},
        "metrics": {name: defined(value) for name, value in scores.items()},
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    (folder / artifact.MODEL).write_bytes(onnx)
    (folder / artifact.CONTRACT).write_text(contract.to_json(), encoding="utf-8")
    baseline = describe(contract, model.classes, train, tested.samples, tested.output, refit=refit)
    (folder / artifact.BASELINE).write_text(baseline.to_json(), encoding="utf-8")
    _write(folder / artifact.FACTS, document)
    if tested.out_of_fold:
        tested.out_of_fold.write(folder)
    return artifact.seal(folder)


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
