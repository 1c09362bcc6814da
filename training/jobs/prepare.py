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
from tabular.samples import Samples, marks
from training.data import table
from training.data.holdout import Holdout, Split, date, drawn, newest

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
    found = split(samples, contract)
    told = describe(found, samples)
    for name, chosen in ((Folder.TRAIN, found.trained), (Folder.HOLDOUT, found.held)):
        side = samples.where(chosen)
        check_side(name, side, samples, contract, told)
        side.write(paths.processing_output(name), contract)
        log.info("%s: %d rows", name, len(side))
    told.write(paths.processing_output(Folder.HOLDOUT))
    log.info(told.sentence())


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


def split(samples: Samples, contract: Contract) -> Split:
    """Choose the rows that are held out, by the contract's rule.

    Raises:
        DataError: the newest are asked for, and no row is newer than another.
    """
    share = contract.training.holdout_share
    if samples.times is None:
        return drawn(marks(samples), share)
    found = newest(samples.times, marks(samples), share)
    if found is None:
        assert contract.time is not None
        raise DataError(
            f"no row is newer than another by {contract.time.name!r}, so the newest cannot be held out: "
            'add rows of other times, or set training.data.holdout = "random".'
        )
    return found


def describe(found: Split, samples: Samples) -> Holdout:
    """Describe the split of a dataset's rows."""
    if found.starts is None or samples.times is None:
        return Holdout(rule="random")
    return Holdout(
        rule="newest",
        starts=date(found.starts),
        repeated=int((~found.trained & ~found.held).sum()),
        undated=int(np.isnan(samples.times).sum()),
    )


def check_side(name: str, side: Samples, whole: Samples, contract: Contract, told: Holdout) -> None:
    """
    Raises:
        DataError: one side of the split has no row, or none of some class.
    """
    how, else_ = "", ""
    if told.rule == "newest":
        how, else_ = f" {told.sentence()}", ', or set training.data.holdout = "random"'
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
