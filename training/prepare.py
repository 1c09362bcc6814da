"""Split a validated dataset into rows to train on and rows held out.

A row's side is decided by a digest of its features alone: rows that the model cannot
tell apart fall on the same side, in every run and whatever rows are around them, so
nothing leaks from one side to the other.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract.reasons import Unscorable
from contract.schema import Contract
from training import table
from training.failures import DataError
from training.inputs import check_code, read_contract
from training.paths import Paths
from training.samples import Samples, digests

log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: input `dataset` and `contract`; outputs `train` and `holdout`, each `samples.parquet`.

    Raises:
        DataError: the dataset does not pass the contract, or a side lacks rows of a class.
    """
    contract = read_contract(paths.processing_input("contract"))
    check_code(contract, environ)
    samples, held_out = split(paths.processing_input("dataset"), contract)
    for name, side in (("train", samples.where(~held_out)), ("holdout", samples.where(held_out))):
        check_side(name, side, samples, contract)
        side.write(paths.processing_output(name), contract)
        log.info("%s: %d rows", name, len(side))


def split(folder: Path, contract: Contract) -> tuple[Samples, NDArray[np.bool_]]:
    """Every row of a dataset's files, and which of them [n] are held out."""
    parts, sides = [], []
    limit = int(contract.training.holdout_share * 2**64)
    for path in table.files(folder):
        try:
            for chunk in table.read(path, contract):
                rows = _samples(path, chunk, contract)
                marks = digests(rows)
                parts.append(rows)
                sides.append(np.array([mark < limit for mark in marks], bool))
        except Unscorable as unreadable:
            raise DataError(f"{path.name}: {unreadable.message}") from unreadable
    if not parts:
        raise DataError("the dataset has no file.")
    return Samples.joined(parts), np.concatenate(sides)


def check_side(name: str, side: Samples, whole: Samples, contract: Contract) -> None:
    """
    Raises:
        DataError: one side of the split has no row, or none of some class.
    """
    if not len(side):
        raise DataError(f"no row fell into {name}: add rows, or change training.holdout_share.")
    if contract.problem != "regression":
        absent = sorted(set(whole.target) - set(side.target))
        if absent:
            raise DataError(f"no row of {', '.join(map(repr, absent))} fell into {name}: add rows of it.")


def _samples(path: Path, chunk: table.Chunk, contract: Contract) -> Samples:
    """The rows that keep the contract, which are all of them unless it says to leave out the others."""
    faults = [*chunk.faults, *chunk.ragged]
    if faults and contract.validation["values"].level == "stop":
        example = f"{faults[0].column}: {faults[0].message}"
        raise DataError(f"{path.name} has values that validate would have refused, such as {example}.")
    return table.sound(contract, chunk)
