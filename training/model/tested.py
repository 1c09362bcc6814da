"""What models predicted of rows that they had not seen: all that is known of the model that ships."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from contract.documents.evaluation import Threshold
from contract.schema import Contract
from metrics.formulas import Array
from metrics.problem_metrics import Rows, of_problem
from tabular.onnx_session import Graph
from tabular.samples import Samples
from training.model import out_of_fold
from training.model.checkpoints import Checkpoints
from training.model.cross_validation import unseen
from training.model.out_of_fold import OutOfFold
from training.model.threshold_choice import choose


class Tested(NamedTuple):
    """Rows, what was predicted of them at the threshold that was chosen, and where folds did it, by whom."""

    samples: Samples
    rows: Rows
    threshold: Threshold | None
    out_of_fold: OutOfFold | None = None

    @property
    def output(self) -> Array:
        """The predictions as a graph gives them: probabilities [n, classes], or values [n]."""
        predictions = self.rows.predictions
        return (
            np.column_stack([1 - predictions, predictions]) if self.rows.problem == "binary" else predictions
        )


def on_holdout(
    graph: Graph, train: Samples, holdout: Samples, contract: Contract, checkpoints: Checkpoints
) -> Tested:
    """What an exported model says of rows that it was not fitted to."""
    output = graph.run(holdout.numbers, holdout.categories, holdout.texts).astype(np.float64)
    truth = holdout.coded_target(train.classes(contract))
    rows = Rows(contract.problem, truth, of_problem(contract.problem, output))
    return _at_threshold(holdout, rows, choose(contract, lambda: unseen(train, contract, checkpoints)))


def by_folds(train: Samples, contract: Contract, checkpoints: Checkpoints) -> Tested:
    """What models of parts of the rows say of the others.

    Where those are the newest rows, the threshold is chosen on the older ones.
    """
    plan = out_of_fold.plan(train, contract)
    predictions = out_of_fold.predict(train, contract, plan, checkpoints)
    samples = train.where(plan.evaluated)
    rows = predictions.rows(contract, samples.coded_target(train.classes(contract)))
    if train.times is None:
        threshold = choose(contract, lambda: _stacked(rows))
    else:
        threshold = choose(contract, lambda: unseen(train.where(plan.older), contract, checkpoints))
    return _at_threshold(samples, rows, threshold)._replace(out_of_fold=predictions)


def _at_threshold(samples: Samples, rows: Rows, threshold: Threshold | None) -> Tested:
    return Tested(samples, replace(rows, threshold=threshold["value"]) if threshold else rows, threshold)


def _stacked(rows: Rows) -> Rows:
    """The rows once for each repeat."""
    every = (rows.predictions, *rows.repeats)
    truth = np.tile(rows.truth, len(every))
    return replace(rows, truth=truth, predictions=np.concatenate(every), repeats=())
