"""The live model against the new one, on the same rows.

It was trained on none of these rows if both models held theirs out by the same rule, and it no fewer of
them; otherwise it may have been, which makes the comparison harder for the new one, never easier.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from contract.documents.evaluation import Champion
from contract.schema import Contract, ContractError
from metrics import bootstrap
from metrics.formulas import Array
from metrics.problem_metrics import Rows
from scoring.server.sealed_model import SealedModel, unpack
from tabular.samples import Samples, marks
from training.data.champion import Champion as Live
from training.data.holdout import Holdout, drawn
from training.model.out_of_fold import OutOfFold


def compare(
    live: Live | None, contract: Contract, holdout: Samples, challenger: Rows, held_out: Holdout
) -> Champion | None:
    """Both models' metrics and their differences; None where no model was live.

    `held_out` says which rows the holdout are.

    Raises:
        PlatformError: the live model's archive is not as it was sealed.
    """
    if live is None:
        return None
    with TemporaryDirectory() as unpacked:
        unpack(live.archive, Path(unpacked))
        try:
            champion = SealedModel(Path(unpacked))
        except ContractError as error:
            return _not_comparable(live, f"this code cannot read its contract: {error}")
        out_of_fold = OutOfFold.read(Path(unpacked))
    why = difference(champion, contract, set(holdout.classes(contract)))
    if why:
        return _not_comparable(live, why)
    theirs = _columns(holdout, contract, champion.contract)
    chosen, may_know = _unknown(champion, theirs, contract, held_out)
    rows = _unseen(champion.rows(theirs), out_of_fold, theirs)
    compared = bootstrap.paired(rows.at(chosen), challenger.at(chosen), contract.training.seed)
    return {
        "model_version": live.model_version,
        "not_comparable": "",
        "may_know_rows": may_know,
        "rows": int(chosen.sum()),
        "metrics": compared,
    }


def _unknown(
    champion: SealedModel, theirs: Samples, contract: Contract, held_out: Holdout
) -> tuple[Array, bool]:
    """The rows [n] to compare on, and whether a live model may have been trained on some of them.

    `theirs` are the rows as it reads them. If our run holds out more than its did, as cross-validation
    does, only those of its own holdout are looked at, where they are enough.
    """
    every, before = np.ones(len(theirs), bool), Holdout.of(champion.facts)
    if before.cross_validated or apart(champion.contract, before, contract, held_out):
        return every, False
    if before.rule == "random" and set(champion.contract.features) <= set(contract.features):
        chosen = drawn(marks(theirs), champion.contract.training.holdout_share).held
        if chosen.sum() >= contract.evaluation.minimum_rows:
            return chosen, False
    return every, True


def _unseen(rows: Rows, out_of_fold: OutOfFold | None, theirs: Samples) -> Rows:
    """What a live model says, but of rows that it was fitted to what was said by models that were not."""
    if out_of_fold is None:
        return rows
    known, said = out_of_fold.of(marks(theirs))
    predictions = rows.predictions.copy()
    predictions[known] = said
    return replace(rows, predictions=predictions)


def apart(theirs: Contract, before: Holdout, ours: Contract, held_out: Holdout) -> bool:
    """Whether a live model, whose run held out `before`, surely was not trained on what ours held out."""
    if before.starts and held_out.starts:
        return theirs.time == ours.time and before.starts <= held_out.starts
    if before.cross_validated or held_out.cross_validated:
        return False
    return (
        before.rule == held_out.rule
        and theirs.features == ours.features
        and theirs.training.holdout_share >= ours.training.holdout_share
    )


def difference(champion: SealedModel, contract: Contract, classes: set[str]) -> str:
    """Why a live model cannot be asked about this contract's rows; empty if it can.

    It may read other features than the new model does, as long as the rows have them.
    """
    theirs = champion.contract
    if (theirs.problem, theirs.target.name, theirs.target.positive) != (
        contract.problem,
        contract.target.name,
        contract.target.positive,
    ):
        return f"it predicts {theirs.target.name!r} as a {theirs.problem} problem"
    if unknown := sorted(classes - set(champion.classes)):
        return f"it does not know the class {unknown[0]!r}"
    ours = {feature.name: feature.type for feature in contract.features}
    for feature in theirs.features:
        if feature.name not in ours:
            return f"it reads the column {feature.name!r}, which is no feature any more"
        if feature.type != ours[feature.name]:
            return f"it reads the column {feature.name!r} as a {feature.type}, which it is no more"
    return ""


def _not_comparable(live: Live, why: str) -> Champion:
    return {
        "model_version": live.model_version,
        "not_comparable": why,
        "may_know_rows": False,
        "rows": 0,
        "metrics": {},
    }


def _columns(holdout: Samples, ours: Contract, theirs: Contract) -> Samples:
    """The holdout with the features of another contract."""
    numbers = [f.name for f in ours.numeric]
    categories = [f.name for f in ours.categorical]
    texts = [f.name for f in ours.textual]
    return Samples(
        holdout.numbers[:, [numbers.index(f.name) for f in theirs.numeric]],
        holdout.categories[:, [categories.index(f.name) for f in theirs.categorical]],
        holdout.target,
        holdout.texts[:, [texts.index(f.name) for f in theirs.textual]],
    )
