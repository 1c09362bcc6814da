"""Predictions of training rows by models that did not see them: to choose on, never the holdout.

The training rows are dealt into folds, and each fold is predicted by a model of the others. Rows
with the same features are in the same fold. Few rows are all predicted; of many, as many
folds are as it takes to have enough rows to choose on. Where the newest rows are held out, folds
are cut by time too, and each is predicted by a model of what is older.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from container.errors import DataError
from contract.schema import Contract
from metrics import problem_metrics
from metrics.formulas import Array
from metrics.problem_metrics import Rows
from tabular.samples import Samples, marks
from training.data.holdout import newest
from training.model.checkpoints import Checkpoints
from training.model.fit import FittedModel, fit

Mask = NDArray[np.bool_]

_ALIKE = (
    "the rows to train on differ too little in their features to learn from some of them what the others "
    "are, so nothing can be chosen on rows that a model has not seen: add rows with other values."
)
_ALIKE_AT_FIRST = (
    "the oldest rows are of one class, so nothing can be chosen on the rows that follow them: "
    'add older rows of the others, or set training.holdout = "random".'
)

FOLDS = 5
ENOUGH_ROWS = 10_000


def unseen(train: Samples, contract: Contract, checkpoints: Checkpoints, share: float = 1.0) -> Rows:
    """Rows [m] of a training set, predicted unseen.

    A `share` below 1 fits only on so much of what there is to fit on; the rows predicted stay the same.
    What `checkpoints` hold of the same contract and, by their place, the same dataset is not done again.

    Raises:
        DataError: the rows, or by time the oldest of them, are too much alike.
        ModelCodeError: the estimator fails on a part of the rows.
    """
    classes = train.classes(contract)
    codes = train.coded_target(classes)
    taken = np.random.default_rng(contract.training.seed).random(len(train)) < share
    truth: list[Array] = []
    predictions: list[Array] = []
    for fold, (fitted, held) in enumerate(rounds(train, contract)):
        truth.append(codes[held])

        def predict(fitted: Mask = fitted & taken, held: Mask = held) -> Array:
            model = fit(train.where(fitted), contract)
            return predictions_of(model, train.where(held), classes, contract.problem)

        predictions.append(checkpoints.array(f"{contract.digest} {share} fold {fold}", predict))
        if sum(map(len, truth)) >= ENOUGH_ROWS:
            break
    if not truth:
        raise too_much_alike(train)
    return Rows(contract.problem, np.concatenate(truth), np.concatenate(predictions))


def too_much_alike(train: Samples) -> DataError:
    """What to say where no model of some of the rows can be asked about others."""
    return DataError(_ALIKE if train.times is None else _ALIKE_AT_FIRST)


def rounds(train: Samples, contract: Contract, repeat: int = 0) -> Iterator[tuple[Mask, Mask]]:
    """Masks [n] of rows to fit on, of more than one class, and of rows that a model of those predicts."""
    classes = train.classes(contract)
    codes = train.coded_target(classes) if classes else np.zeros(len(train))
    if train.times is None:
        dealt = folds(train, codes, repeat)
        parts: Iterator[tuple[Mask, Mask]] = ((dealt != k, dealt == k) for k in np.unique(dealt))
    else:
        parts = by_time(train.times, marks(train))
    least = 1 if contract.problem == "regression" else 2
    for fitted, held in parts:
        if len(np.unique(codes[fitted])) >= least:
            yield fitted, held


def by_time(times: NDArray[np.float32], marks: NDArray[np.uint64]) -> Iterator[tuple[Mask, Mask]]:
    """Of blocks of as many rows each but the oldest, what is older and the block; the newest first.

    A forecast from a rolling origin (Hyndman and Athanasopoulos, Forecasting, 3rd ed., section 5.10).
    """
    rest = np.arange(len(times))
    for blocks in range(FOLDS + 1, 1, -1):
        sides = newest(times[rest], marks[rest], 1 / blocks)
        if sides is None:
            return
        fitted, held = np.zeros(len(times), bool), np.zeros(len(times), bool)
        fitted[rest[sides.trained]] = True
        held[rest[sides.held]] = True
        rest = rest[sides.trained]
        if held.any():
            yield fitted, held


def folds(samples: Samples, codes: Array, repeat: int = 0) -> NDArray[np.intp]:
    """A fold [n] for each row: those of a class are dealt evenly, by the digest of their features.

    Each repeat deals in another order.
    """
    _, first, places = np.unique(marks(samples), return_index=True, return_inverse=True)
    order = np.random.default_rng(repeat).permutation(len(first)) if repeat else np.arange(len(first))
    fold = np.empty(len(first), np.intp)
    # One class begins where the one before it ended, so that a few different rows are in different folds.
    fold[order[np.argsort(codes[first[order]], kind="stable")]] = np.arange(len(first)) % FOLDS
    return fold[places]


def predictions_of(model: FittedModel, samples: Samples, classes: tuple[str, ...], problem: str) -> Array:
    """A model's predictions as metrics take them, of all `classes`, of which it may not know some."""
    predictions = model.predict(samples)
    if model.classes != classes:  # a rare class may be in one fold only
        every = np.zeros((len(samples), len(classes)))
        every[:, [classes.index(known) for known in model.classes]] = predictions
        predictions = every
    return problem_metrics.of_problem(problem, predictions)
