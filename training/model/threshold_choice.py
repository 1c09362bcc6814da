"""Choose the probability from which on a row is predicted positive.

It is chosen on rows the model asked was not trained on, and that are not the holdout.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from contract import threshold
from contract.documents.evaluation import Threshold
from contract.schema import Contract
from contract.threshold import AtLeast, Best, Costs, Fixed
from metrics.formulas import Array, divided
from metrics.problem_metrics import Rows


def choose(contract: Contract, unseen: Callable[[], Rows]) -> Threshold | None:
    """The threshold by the contract's rule; None of problems that are not binary.

    `unseen` gives rows that were predicted by models that had not seen them, where the rule needs any.

    Raises:
        ModelCodeError: the estimator fails on a part of the rows.
    """
    if contract.problem != "binary":
        return None
    rule = threshold.parse(contract.target.threshold)
    if isinstance(rule, Fixed):
        return {"value": rule.value, "rule": str(rule), "why": "model.toml says so"}
    rows = unseen()
    value, why = best(rule, rows.truth, rows.predictions)
    return {
        "value": value,
        "rule": str(rule),
        "why": f"{why}, on {len(rows):,} training rows held out in turn",
    }


def of_rows(rows: Rows, contract: Contract) -> float:
    """The threshold by the contract's rule, of rows predicted unseen; the default where there is none."""
    if contract.problem != "binary":
        return threshold.DEFAULT
    rule = threshold.parse(contract.target.threshold)
    return rule.value if isinstance(rule, Fixed) else best(rule, rows.truth, rows.predictions)[0]


def best(rule: Best | AtLeast | Costs, truth: Array, probability: Array) -> tuple[float, str]:
    """The threshold by a rule, and what it gives. Thresholds lie halfway between probabilities.

    The least is below all of them, the greatest above all.
    """
    known = np.unique(np.concatenate([[0.0], probability, [1.0]]))
    # Six digits, as people read them. What is counted below is what these very numbers give.
    candidates = np.unique([float(f"{value:.6g}") for value in ((known[:-1] + known[1:]) / 2).tolist()])
    hits = _at_least(probability[truth == 1], candidates)
    false = _at_least(probability[truth == 0], candidates)
    positives = max(1, int(truth.sum()))
    negatives = max(1, len(truth) - positives)
    recall, precision = hits / positives, divided(hits, hits + false, 0.0)
    if isinstance(rule, Costs):
        costs = rule.false_positive * false + rule.false_negative * (positives - hits)
        place = int(np.argmin(costs))
        return float(candidates[place]), f"a row costs {costs[place] / len(truth):.4g} on average"
    if isinstance(rule, Best):
        youden = recall - false / negatives
        statistic = divided(2 * hits, hits + false + positives, 0.0) if rule.statistic == "f1" else youden
        place = int(np.argmax(statistic))
        return float(candidates[place]), f"{rule.statistic} is {statistic[place]:.4g}, the greatest it can be"
    held, other = (recall, precision) if rule.statistic == "recall" else (precision, recall)
    enough = held >= rule.least
    if not enough.any():
        place = int(np.argmax(held))
        return float(candidates[place]), f"{rule.statistic} is {held[place]:.4g}, the greatest it can be"
    place = int(np.argmax(np.where(enough, other, -1)))
    return float(candidates[place]), f"{rule.statistic} is {held[place]:.4g}"


def _at_least(probability: Array, candidates: Array) -> Array:
    """Count those as great as each candidate or greater."""
    return len(probability) - np.searchsorted(np.sort(probability), candidates, side="left")
