"""The live model against the new one, on the same rows.

It was trained on none of these rows if both models held theirs out by the same rule, and it no fewer of
them; otherwise it may have been, which makes the comparison harder for the new one, never easier.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from contract.documents.evaluation import Champion
from contract.schema import Contract, ContractError
from metrics import bootstrap
from metrics.problem_metrics import Rows
from scoring.server.sealed_model import SealedModel, unpack
from tabular.samples import Samples
from training.data.champion import Champion as Live
from training.data.holdout import Holdout


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
    why = difference(champion, contract, set(holdout.classes(contract)))
    if why:
        return _not_comparable(live, why)
    rows = champion.rows(_columns(holdout, contract, champion.contract))
    compared = bootstrap.paired(rows, challenger, contract.training.seed)
    return {
        "model_version": live.model_version,
        "not_comparable": "",
        "may_know_rows": not apart(champion.contract, Holdout.of(champion.facts), contract, held_out),
        "metrics": compared,
    }


def apart(theirs: Contract, before: Holdout, ours: Contract, held_out: Holdout) -> bool:
    """Whether a live model, whose run held out `before`, surely was not trained on what ours held out."""
    if before.starts and held_out.starts:
        return theirs.time == ours.time and before.starts <= held_out.starts
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
