"""Predictions of a small table's rows by models that had not seen them, in place of a holdout.

Of few rows a fifth says little about a model, and is missed by it. So the model that ships is fitted
to all rows, and what it is worth is measured on models like it: repeatedly, all rows are dealt into folds
and each fold is predicted by a model of the others. A metric is the mean over the repeats (Kohavi, 1995;
Kim, 2009). Those models know a fifth less than the one that ships, which makes what is measured too low if
anything. Where the newest rows are held out, they are predicted once, by a model of what is older.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from contract.artifact import OUT_OF_FOLD
from contract.schema import Contract
from metrics.formulas import Array
from metrics.problem_metrics import Rows
from tabular.samples import Samples, marks
from training.data.holdout import split
from training.model.checkpoints import Checkpoints
from training.model.cross_validation import Mask, predictions_of, rounds, too_much_alike
from training.model.fit import fit

FEWEST_REPEATS, MOST_REPEATS = 2, 10
ENOUGH_ROWS = 1_000
"""So many rows are predicted in all, within the bounds of repeats."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Which models are fitted to what: in each repeat, masks [n] of rows to fit on and of rows to predict.

    `evaluated` [n] are the rows that every repeat predicts.
    """

    repeats: Sequence[Sequence[tuple[Mask, Mask]]]
    evaluated: Mask

    @property
    def older(self) -> Mask:
        """The rows [n] that are only ever fitted on."""
        return ~self.evaluated


def plan(samples: Samples, contract: Contract) -> Plan:
    """How the rows of a small table are predicted.

    Raises:
        DataError: they are too much alike for one model to be asked about what another knows.
    """
    if samples.times is not None:
        sides = split(samples, contract)
        return Plan([[(sides.trained, sides.held)]], sides.held)
    count = int(np.clip(-(-ENOUGH_ROWS // len(samples)), FEWEST_REPEATS, MOST_REPEATS))
    repeats = [list(rounds(samples, contract, repeat)) for repeat in range(count)]
    if not all(repeats):
        raise too_much_alike(samples)
    predicted = [np.any([held for _, held in each], axis=0) for each in repeats]
    return Plan(repeats, np.all(predicted, axis=0))


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What was predicted of rows whose features have these digests [m], a repeat at a time.

    `predictions` are as metrics take them: [m] or [m, classes].
    """

    marks: NDArray[np.uint64]
    predictions: tuple[Array, ...]

    def rows(self, contract: Contract, truth: Array) -> Rows:
        """The predictions beside what is true [m], in codes."""
        first, *others = self.predictions
        return Rows(contract.problem, truth, first, repeats=tuple(others))

    def write(self, folder: Path) -> None:
        """Write them into an artifact."""
        with (folder / OUT_OF_FOLD).open("wb") as file:
            np.savez(file, marks=self.marks, predictions=np.stack(self.predictions).astype(np.float32))

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Those of an artifact; None of one that was evaluated on a holdout."""
        if not (folder / OUT_OF_FOLD).exists():
            return None
        with np.load(folder / OUT_OF_FOLD, allow_pickle=False) as arrays:
            return cls(arrays["marks"], tuple(arrays["predictions"].astype(np.float64)))

    def of(self, digests: NDArray[np.uint64]) -> tuple[Mask, Array]:
        """Which of some rows [k] are among these, and what the first repeat predicted of those."""
        order = np.argsort(self.marks, kind="stable")
        places = order[np.searchsorted(self.marks, digests, sorter=order).clip(0, len(order) - 1)]
        known = self.marks[places] == digests
        return known, self.predictions[0][places[known]]


def predict(samples: Samples, contract: Contract, chosen: Plan, checkpoints: Checkpoints) -> OutOfFold:
    """Fit every model of a plan, and have it predict.

    Raises:
        DataError, ModelCodeError: a model cannot be fitted to its part of the rows.
    """
    classes = samples.classes(contract)
    predictions = []
    for repeat, each in enumerate(chosen.repeats):
        repeated = np.full(
            (len(samples), *([len(classes)] if contract.problem == "multiclass" else [])), np.nan
        )
        for fold, (fitted, held) in enumerate(each):

            def predicted(fitted: Mask = fitted, held: Mask = held) -> Array:
                model = fit(samples.where(fitted), contract)
                return predictions_of(model, samples.where(held), classes, contract.problem)

            name = f"{contract.digest} repeat {repeat} fold {fold}"
            repeated[held] = checkpoints.array(name, predicted)
        predictions.append(repeated[chosen.evaluated].astype(np.float32).astype(np.float64))
    return OutOfFold(marks(samples.where(chosen.evaluated)), tuple(predictions))
