"""What a model is worth when its inputs are worse than those it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from contract.documents.evaluation import Robustness
from contract.gates import PRIMARY, changes
from contract.schema import Contract
from metrics.bootstrap import defined
from metrics.formulas import Array
from scoring.server.sealed_model import SealedModel
from tabular.samples import Samples
from tabular.values import LARGEST, MISSING
from training.evaluation.fold_models import FoldModels
from training.evaluation.holdout_sample import balanced

MAXIMUM_ROWS = 5_000
NOISE = 0.1
SHARE = 0.1
_NEVER_SEEN = "\x00 never seen"


def probe(model: SealedModel, holdout: Samples, folds: FoldModels | None = None) -> list[Robustness]:
    """The metric of slices after each change that the contract's features allow.

    `folds` are asked in the model's stead where it was fitted to these rows.
    """
    contract = model.contract
    metric = contract.evaluation.metric or PRIMARY[contract.problem]
    drawn = balanced(holdout, model.classes, MAXIMUM_ROWS, contract.training.seed)
    some = holdout.where(drawn.chosen)
    asked = folds.where(drawn.chosen) if folds else model
    before = asked.rows(some).score(metric, drawn.weights)
    found: list[Robustness] = []
    for change in changes(contract):
        says, worsen = CHANGES[change]
        random = np.random.default_rng(contract.training.seed)
        after = asked.rows(worsen(some, contract, random)).score(metric, drawn.weights)
        found.append(
            {
                "change": change,
                "says": says,
                "metric": metric,
                "value": defined(after),
                "difference": defined(after - before),
            }
        )
    return found


def _noise(samples: Samples, contract: Contract, random: np.random.Generator) -> Samples:
    numbers = samples.numbers.copy()
    for i, feature in enumerate(contract.numeric):
        column = numbers[:, i].astype(np.float64)  # whose squares 32 bits may not hold
        known = ~np.isnan(column)
        spread = NOISE * float(column[known].std()) if known.any() else 0.0
        moved = column + spread * random.standard_normal(len(column))
        low = -LARGEST if feature.minimum is None else feature.minimum
        high = LARGEST if feature.maximum is None else feature.maximum
        numbers[:, i] = np.clip(moved, low, high)
    return replace(samples, numbers=numbers)


def _missing(samples: Samples, contract: Contract, random: np.random.Generator) -> Samples:
    numbers, categories, texts = samples.numbers.copy(), samples.categories.copy(), samples.texts.copy()
    for i, feature in enumerate(contract.numeric):
        if not feature.required:
            numbers[_some(samples, random), i] = np.nan
    for i, feature in enumerate(contract.categorical):
        if not feature.required:
            categories[_some(samples, random), i] = MISSING
    for i, feature in enumerate(contract.textual):
        if not feature.required:
            texts[_some(samples, random), i] = MISSING
    return replace(samples, numbers=numbers, categories=categories, texts=texts)


def _unseen(samples: Samples, contract: Contract, random: np.random.Generator) -> Samples:
    categories = samples.categories.copy()
    for i, feature in enumerate(contract.categorical):
        if feature.values is None:
            categories[_some(samples, random), i] = _NEVER_SEEN
    return replace(samples, categories=categories)


def _some(samples: Samples, random: np.random.Generator) -> Array:
    chosen: Array = random.random(len(samples)) < SHARE
    return chosen


CHANGES: dict[str, tuple[str, Callable[[Samples, Contract, np.random.Generator], Samples]]] = {
    "noise": ("numbers move by a normal error of a tenth of their standard deviation", _noise),
    "missing": ("a tenth of the values that may be missing are", _missing),
    "unseen": ("a tenth of the values of open categories are ones that training never saw", _unseen),
}
