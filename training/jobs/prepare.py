"""Split a validated dataset into rows to train on and rows held out, by `training.data.holdout`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from container.errors import DataError
from container.inputs import check_code, read_contract
from container.paths import Paths
from contract.names.jobs import Folder
from contract.reasons import Unscorable
from contract.schema import Contract
from tabular.samples import Samples
from training.data import table
from training.data.holdout import Holdout, Split, date, split

log = logging.getLogger(__name__)


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job: input `dataset` and `contract`; outputs `train` and `holdout`, each `samples.parquet`.

    Beside the rows held out lies `holdout.json`, which says how they were chosen.

    Raises:
        DataError: the dataset does not pass the contract, or a side lacks rows of a class.
    """
    contract = read_contract(paths.processing_input(Folder.CONTRACT))
    check_code(contract, environ)
    samples = read(paths.processing_input(Folder.DATASET), contract)
    sides = split(samples, contract)
    holdout = describe(sides, samples, contract)
    for name, chosen in ((Folder.TRAIN, sides.trained), (Folder.HOLDOUT, sides.held)):
        side = samples.where(chosen)
        if not holdout.cross_validated:
            check_side(name, side, samples, contract, holdout)
        side = samples if holdout.refit else side
        side.write(paths.processing_output(name), contract)
        log.info("%s: %d rows", name, len(side))
    holdout.write(paths.processing_output(Folder.HOLDOUT))
    log.info(holdout.sentence())


def read(folder: Path, contract: Contract) -> Samples:
    """Every row of a dataset's files that keeps the contract.

    Raises:
        DataError: there is no file, or one that validate would have refused.
    """
    parts = []
    for path in table.files(folder):
        try:
            parts += [_samples(path, chunk, contract) for chunk in table.read(path, contract)]
        except Unscorable as unreadable:
            raise DataError(f"{path.name}: {unreadable.message}") from unreadable
    if not parts:
        raise DataError("the dataset has no file.")
    return Samples.joined(parts)


def describe(sides: Split, samples: Samples, contract: Contract) -> Holdout:
    """Describe the split of a dataset's rows.

    Few of them are all in both outputs. After a search they are not: what it chose by all rows could
    not be judged on any.
    """
    refit = len(samples) < contract.training.refit_below and not contract.training.search
    if sides.starts is None or samples.times is None:
        return Holdout(rule="random", refit=refit)
    return Holdout(
        refit=refit,
        rule="newest",
        starts=date(sides.starts),
        repeated=int((~sides.trained & ~sides.held).sum()),
        undated=int(np.isnan(samples.times).sum()),
    )


def check_side(name: str, side: Samples, whole: Samples, contract: Contract, holdout: Holdout) -> None:
    """
    Raises:
        DataError: one side of the split has no row, or none of some class.
    """
    how, else_ = "", ""
    if holdout.rule == "newest":
        how, else_ = f" {holdout.sentence()}", ', or set training.holdout = "random"'
    if not len(side):
        raise DataError(f"no row fell into {name}: add rows, or change training.holdout_share{else_}.{how}")
    if contract.problem != "regression":
        absent = sorted(set(whole.target) - set(side.target))
        if absent:
            named = ", ".join(map(repr, absent))
            raise DataError(f"no row of {named} fell into {name}: add rows of it{else_}.{how}")


def _samples(path: Path, chunk: table.TrainingChunk, contract: Contract) -> Samples:
    """The rows that keep the contract, which are all of them unless it says to leave out the others."""
    refusals = [*chunk.refusals, *chunk.ragged]
    if refusals and contract.validation["values"].level == "stop":
        example = f"{refusals[0].column}: {refusals[0].message}"
        raise DataError(f"{path.name} has values that validate would have refused, such as {example}.")
    return table.sound(contract, chunk)
