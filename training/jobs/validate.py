"""Hold a dataset against its contract, and say everything that is wrong with it at once.

What stops a run and what is only warned of is for `[validation]` in model.toml to say; what each
check measures is in docs/validation.md. Every finding says what to do about it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from container.errors import DataError
from container.inputs import check_code, read_contract
from container.paths import Paths
from contract.documents.validation import Problem, Validation
from contract.names.jobs import REPORT_PAGE, VALIDATION_FILE, Folder, Variable
from contract.schema import Contract
from training.report.facts import Lineage
from training.validation.evidence import Evidence
from training.validation.live_data import Live, read_live
from training.validation.profile import Collected
from training.validation.report_document import document
from training.validation.report_page import render_page
from training.validation.rows.timing import Timing
from training.validation.verdicts import judge

log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: inputs `dataset`, `contract` and `champion`; output `report`, passed or not.

    In it are report.json, and report.html for people.

    Raises:
        DataError: naming each check that stops the run, where, and what to do.
        PlatformError: the live model's artifact is not as it was sealed.
    """
    contract = read_contract(paths.processing_input(Folder.CONTRACT))
    check_code(contract, environ)
    live = read_live(paths.processing_input(Folder.CHAMPION))
    validation = inspect(
        paths.processing_input(Folder.DATASET),
        contract,
        live,
        dataset_version=environ.get(Variable.DATASET_VERSION, ""),
    )
    report = paths.processing_output(Folder.REPORT)
    text = json.dumps(validation, indent=2, ensure_ascii=False, allow_nan=False)
    (report / VALIDATION_FILE).write_text(text + "\n", encoding="utf-8")
    page = render_page(contract, validation, Lineage.read(paths))
    (report / REPORT_PAGE).write_text(page, encoding="utf-8")
    for problem in validation["problems"]:
        log.warning("%s: %s: %s", problem["level"], problem["check"], problem["sentence"])
    if not validation["passed"]:
        raise DataError(summary(validation["problems"]))
    log.info("%d rows pass the contract of %s", validation["sound_rows"], contract.model)
    if validation["unlabelled_rows"]:
        log.info("%d rows without %s are set aside", validation["unlabelled_rows"], contract.target.name)


def inspect(
    folder: Path, contract: Contract, live: Live | None = None, *, dataset_version: str = ""
) -> Validation:
    """Read every file of a dataset once, make every check, and report."""
    collected = Collected(contract, Timing(datetime.now(UTC)), live.of(contract) if live else None)
    collected.read(folder)
    evidence = Evidence(contract, collected, live)
    with threadpool_limits(limits=1):
        return document(evidence, judge(evidence), dataset_version)


def summary(problems: Sequence[Problem]) -> str:
    """Return the problems that stop a run as one message, numbered where there are several."""
    sentences = [f"{p['check']}: {p['sentence']}" for p in problems if p["level"] == "stop"]
    if len(sentences) == 1:
        return sentences[0]
    numbered = " ".join(f"({i}) {sentence}" for i, sentence in enumerate(sentences, start=1))
    return f"{len(sentences)} problems, all of them in report.html. {numbered}"
