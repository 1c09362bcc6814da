"""Measure a sealed artifact on the rows held out, and judge its gates.

It runs the very graph that will serve, from the bytes whose digests it reports.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from container.errors import PlatformError
from container.inputs import check_code, read_contract, read_gates
from container.paths import Paths
from contract import artifact
from contract.documents.evaluation import GOLDEN, Evaluation
from contract.names.jobs import EVALUATION_FILE, VALIDATION_FILE, Folder, Variable
from contract.schema import Contract
from metrics import bootstrap
from metrics.problem_metrics import Rows
from scoring.server.sealed_model import SealedModel, unpack
from tabular.samples import Samples, marks
from training.data.champion import Champion as Live
from training.data.champion import read_champion
from training.data.holdout import Holdout
from training.evaluation import (
    comparison,
    curves,
    fairness,
    golden,
    importance,
    robustness,
    serving_cost,
    slices,
)
from training.evaluation.fold_models import FoldModels
from training.evaluation.gates import judge, named
from training.model import out_of_fold, search
from training.model.out_of_fold import OutOfFold
from training.report import run as report
from training.report.facts import Facts, Lineage

log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: inputs `model`, `holdout`, `contract`, `gates`, `champion` and `validation`; output `evaluation`.

    Where parameters were searched, an input `trials` has what the trials left.

    In it are evaluation.json, the golden requests, and what people read: report.html, card.json and card.md.

    A missed gate is a result, not a failure: the pipeline's gate reads `passed` and `missed`.

    Raises:
        PlatformError: an archive is no sealed artifact, or the model's not one of this contract.
    """
    contract = read_contract(paths.processing_input(Folder.CONTRACT))
    code = check_code(contract, environ)
    gates = read_gates(paths.processing_input(Folder.GATES))
    holdout = Samples.read(paths.processing_input(Folder.HOLDOUT), contract)
    archive = paths.processing_input(Folder.MODEL) / artifact.ARCHIVE
    with TemporaryDirectory() as folder, threadpool_limits(limits=1, user_api="blas"):
        digests = unpack(archive, Path(folder))
        live = read_champion(paths.processing_input(Folder.CHAMPION))
        document = evaluate(contract, gates, Path(folder), archive, holdout, live)
        golden_rows = golden.ask(Path(folder), holdout, contract)
        model = json.loads((Path(folder) / artifact.FACTS).read_text(encoding="utf-8"))
    searched = search.trials(paths.processing_input(Folder.TRIALS), contract, model["parameters"])
    document["search"] = searched
    document["artifact"] = digests
    written = paths.processing_output(Folder.EVALUATION)
    document["golden"] = golden.write(golden_rows, written / GOLDEN)
    document["dataset_version"] = environ.get(Variable.DATASET_VERSION, "")
    document["code_digest"] = code
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    (written / EVALUATION_FILE).write_text(text + "\n", encoding="utf-8")
    validation = json.loads(
        (paths.processing_input(Folder.VALIDATION) / VALIDATION_FILE).read_text(encoding="utf-8")
    )
    lineage = Lineage.read(paths)
    facts = Facts(
        contract=contract,
        evaluation=document,
        model=model,
        validation=validation,
        trials=searched["trials"] if searched else (),
        lineage=lineage,
    )
    report.write(written, facts)
    for name, metric in document["metrics"].items():
        log.info("%s=%s; (%s to %s)", name, metric["value"], metric["low"], metric["high"])
    log.info("gates: %s", "passed" if document["passed"] else document["missed"])


def evaluate(
    contract: Contract,
    gates: Mapping[str, str],
    folder: Path,
    archive: Path,
    holdout: Samples,
    live: Live | None,
) -> Evaluation:
    """Everything about an unpacked artifact but its origin, and each gate's verdict.

    The same inputs give the same document, except for
    `serving`, which is measured.

    Raises:
        PlatformError: the artifact was made for another contract.
    """
    if (folder / artifact.CONTRACT).read_text(encoding="utf-8") != contract.to_json():
        raise PlatformError("the artifact was trained for another contract than this run's")
    model = SealedModel(folder)
    holdout, rows, folds = _tested(model, holdout)
    metrics = bootstrap.intervals(rows, contract.training.seed)
    evaluation: Evaluation = {
        "problem": contract.problem,
        "rows": len(holdout),
        "classes": list(model.classes),
        "metrics": metrics,
        "threshold": model.facts.get("threshold"),
        "curves": curves.draw(rows, model.classes, metrics),
        "slices": slices.find(contract, holdout, rows),
        "fairness": fairness.assess(contract, holdout, rows, model.classes),
        "importance": importance.rank(model, holdout, folds),
        "robustness": robustness.probe(model, holdout, folds),
        "serving": serving_cost.measure(folder, archive, holdout, contract),
        "parity": model.facts["parity"],
        "champion": comparison.compare(live, contract, holdout, rows, Holdout.of(model.facts)),
        "search": None,
        "gates": [],
        "passed": True,
        "missed": "",
        "artifact": {},
        "golden": "",
        "dataset_version": "",
        "code_digest": "",
    }
    verdicts = list(judge(gates, named(evaluation), evaluation["champion"]))
    evaluation["gates"] = verdicts
    evaluation["passed"] = all(verdict["passed"] for verdict in verdicts)
    evaluation["missed"] = "; ".join(verdict["says"] for verdict in verdicts if not verdict["passed"])
    return evaluation


def _tested(model: SealedModel, holdout: Samples) -> tuple[Samples, Rows, FoldModels | None]:
    """Rows that the model was not fitted to, and what it says of them.

    Of a model that was refit to all rows, what others said that had not seen them, and these others.
    """
    if not Holdout.of(model.facts).refit:
        return holdout, model.rows(holdout), None
    fitted = search.with_parameters(model.contract, model.facts["parameters"])
    plan = out_of_fold.plan(holdout, fitted)
    tested = holdout.where(plan.evaluated)
    sealed = OutOfFold.read(model.folder)
    if sealed is None or sealed.marks.tolist() != marks(tested).tolist():
        raise PlatformError("the artifact was not tested on the rows of this run")
    rows = replace(sealed.rows(model.contract, tested.coded_target(model.classes)), threshold=model.threshold)
    return tested, rows, FoldModels.fit(holdout, fitted, plan, model.threshold)
