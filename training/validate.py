"""Hold a dataset against its contract, and say everything that is wrong with it at once.

Any value that breaks the contract fails the run. Training data is put right once, by a
person: rows dropped in silence would bias the model, and what may be missing, what marks
it and which range holds are all for the contract to say.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from contract.reasons import Unscorable
from contract.schema import Contract
from training import table
from training.failures import DataError
from training.findings import Findings
from training.inputs import DATASET_VERSION, check_code, read_contract
from training.paths import Paths

log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: inputs `dataset` and `contract`; output `report` with `report.json`, passed or not.

    Raises:
        DataError: naming each problem, where it is and how often.
    """
    contract = read_contract(paths.processing_input("contract"))
    check_code(contract, environ)
    findings = inspect(paths.processing_input("dataset"), contract)
    document = {"dataset_version": environ.get(DATASET_VERSION, ""), **findings.document()}
    report = paths.processing_output("report") / "report.json"
    report.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if findings.problems:
        raise DataError(summary([problem.sentence for problem in findings.problems]))
    log.info("%d rows pass the contract of %s", findings.totals.rows, contract.model)


def inspect(folder: Path, contract: Contract) -> Findings:
    """Read every file of a dataset and collect what is found."""
    findings = Findings(contract)
    for path, name in table.uploaded_names(table.files(folder)).items():
        try:
            for chunk in table.read(path, contract):
                findings.add(name, chunk)
        except Unscorable as unreadable:
            findings.add_unreadable(name, unreadable)
    findings.close()
    return findings


def summary(sentences: list[str]) -> str:
    """The sentences as one message, numbered where there are several."""
    if len(sentences) == 1:
        return sentences[0]
    numbered = " ".join(f"({i}) {sentence}" for i, sentence in enumerate(sentences, start=1))
    return f"{len(sentences)} problems, all of them in report.json. {numbered}"
