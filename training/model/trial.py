"""One trial of a search: how good an estimator is with the parameters that SageMaker tries.

It is measured on training rows predicted by models that did not see them, never on the
holdout, which therefore is as good a test of the model that the search ends in. What it
leaves is the measurement; the model is trained by `train`, on all training rows.
"""

from __future__ import annotations

import logging

from container.errors import ModelCodeError
from container.inputs import check_code, read_contract
from container.paths import Paths
from contract.names.jobs import Folder
from contract.schema import Contract
from contract.search import PREFIX
from metrics import problem_metrics
from tabular.samples import Samples
from training.model import search
from training.model.checkpoints import Checkpoints
from training.model.cross_validation import unseen
from training.model.threshold_choice import of_rows

SHARES = (0.25, 0.5, 1.0)
"""Of the rows there are to fit on, where a search may stop trials early: their successive measurements."""

log = logging.getLogger(__name__)


def run(paths: Paths) -> None:
    """Channels `train` and `contract`; leaves the trial, and logs each metric as `validation:<name>=…;`.

    A trial that is stopped early has left its last measurement.

    Raises:
        ModelCodeError: the estimator does not take the parameters, or the objective is not defined.
        PlatformError: a channel is not what `prepare` wrote, or the code is not that of the run.
    """
    contract = read_contract(paths.channel(Folder.CONTRACT))
    given = search.hyperparameters(paths)
    check_code(contract, given)
    parameters = search.tried(given, contract)
    log.info("trial of %s with %s", contract.training.estimator, parameters)
    tried = search.with_parameters(contract, parameters)
    train = Samples.read(paths.channel(Folder.TRAIN), tried)
    for share in SHARES if contract.training.search.early_stopping else (1.0,):
        scores, rows = measured(train, tried, Checkpoints(paths.checkpoints), share)
        trial = {"parameters": parameters, "share": share, "rows": rows, "metrics": scores}
        search.write(paths, trial)
        for name, value in scores.items():
            log.info("%s%s=%.6f;", PREFIX, name, value)


def measured(
    train: Samples, contract: Contract, checkpoints: Checkpoints, share: float
) -> tuple[problem_metrics.Scores, int]:
    """The metrics of training rows predicted unseen, and how many rows these were.

    What depends on the threshold is measured at the one that a model with these parameters would have.

    Raises:
        ModelCodeError: the estimator fails, or the search's objective is not defined on these rows.
    """
    rows = unseen(train, contract, checkpoints, share)
    threshold = of_rows(rows, contract)
    scores = problem_metrics.measure(contract.problem, rows.truth, rows.predictions, threshold)
    objective = contract.training.search.objective
    if scores[objective] != scores[objective]:
        raise ModelCodeError(
            f"{objective}, which the search is to better, is not defined on {len(rows)} rows"
        )
    return scores, len(rows)
