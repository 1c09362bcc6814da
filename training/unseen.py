"""Predictions of training rows by models that did not see them: to choose on, never the holdout.

The training rows are dealt into folds, and each fold is predicted by a model of the others. Rows
with the same features are in the same fold. Few rows are all predicted; of many, as many
folds are as it takes to have enough rows to choose on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contract.schema import Contract
from training import metrics
from training.checkpoints import Checkpoints
from training.evaluation.formulas import Array
from training.fitting import FittedModel, fit
from training.metrics import Rows
from training.samples import Samples, digests

FOLDS = 5
ENOUGH_ROWS = 10_000


def unseen(train: Samples, contract: Contract, checkpoints: Checkpoints, share: float = 1.0) -> Rows:
    """Rows [m] of a training set, predicted unseen.

    A `share` below 1 fits only on so much of what there is to fit on; the rows predicted stay the same.
    What `checkpoints` hold of the same contract and, by their place, the same dataset is not done again.

    Raises:
        ModelCodeError: the estimator fails on a part of the rows.
    """
    classes = train.classes(contract)
    codes = train.coded_target(classes)
    dealt = folds(train, codes if classes else np.zeros(len(train)))
    taken = np.random.default_rng(contract.training.seed).random(len(train)) < share
    truth: list[Array] = []
    predictions: list[Array] = []
    for fold in range(FOLDS):
        held = dealt == fold
        if not held.any():
            continue
        truth.append(codes[held])

        def predict(held: NDArray[np.bool_] = held) -> Array:
            model = fit(train.where(~held & taken), contract)
            return _predictions(model, train.where(held), classes, contract.problem)

        predictions.append(checkpoints.array(f"{contract.digest} {share} fold {fold}", predict))
        if sum(map(len, truth)) >= ENOUGH_ROWS:
            break
    return Rows(contract.problem, np.concatenate(truth), np.concatenate(predictions))


def folds(samples: Samples, codes: Array) -> NDArray[np.intp]:
    """A fold [n] for each row: those of a class are dealt evenly, by the digest of their features."""
    marks = np.fromiter(digests(samples), np.uint64, len(samples))
    _, first, places = np.unique(marks, return_index=True, return_inverse=True)
    fold = np.empty(len(first), np.intp)
    of_class = codes[first]
    for code in np.unique(of_class):
        members = np.flatnonzero(of_class == code)
        fold[members] = np.arange(len(members)) % FOLDS
    return fold[places]


def _predictions(model: FittedModel, samples: Samples, classes: tuple[str, ...], problem: str) -> Array:
    found = model.predict(samples)
    if model.classes != classes:  # a rare class may be in one fold only
        every = np.zeros((len(samples), len(classes)))
        every[:, [classes.index(known) for known in model.classes]] = found
        found = every
    return metrics.of_problem(problem, found)
