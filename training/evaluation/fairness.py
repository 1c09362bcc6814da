"""What happens to the groups of each sensitive feature, and how far apart they are, by fairlearn.

Groups are the values of a category, and bins of numbers. Groups of fewer rows than the
contract's `minimum_rows` are shown and not compared. A rate that a group does not define,
such as the true positive rate of rows of which none is positive, is left out of comparisons.
Of a multiclass problem each class is looked at as the positive one, and the worst counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from contract.documents.evaluation import Fairness, Group, Interval
from contract.gates import DISPARITIES
from contract.schema import Contract
from metrics.bootstrap import defined, interval, resampled
from metrics.formulas import Array, Measure, divided
from metrics.problem_metrics import Rows
from tabular.samples import Samples
from training.evaluation.slices import Part, column, parts

COMPARED: dict[str, tuple[str, ...]] = {
    "demographic_parity_difference": ("selection_rate",),
    "demographic_parity_ratio": ("selection_rate",),
    "equal_opportunity_difference": ("true_positive_rate",),
    "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "accuracy_difference": ("accuracy",),
    "mean_prediction_difference": ("mean_prediction",),
    "mean_residual_difference": ("mean_residual",),
    "mae_difference": ("mae",),
}
"""Which statistics each disparity is the largest difference, or the smallest ratio, of."""
_A_PAIR = 2
"""Groups that it takes to compare them: one that alone defines a rate is not compared with itself."""


class Statistic(NamedTuple):
    """Of a group, the sum of `part` [n] by that of `whole` [n]. `label` is "" or the class looked at."""

    name: str
    label: str
    part: Array
    whole: Array


def assess(contract: Contract, holdout: Samples, rows: Rows, classes: Sequence[str]) -> dict[str, Fairness]:
    """The groups of each sensitive feature, and how far apart they are."""
    features = {feature.name: feature for feature in contract.features}
    statistics = list(_statistics(rows, classes))
    return {
        name: _assessed(contract, statistics, list(parts(features[name], column(contract, holdout, name))))
        for name in contract.sensitive
    }


def _assessed(contract: Contract, statistics: Sequence[Statistic], groups: Sequence[Part]) -> Fairness:
    minimum = contract.evaluation.minimum_rows
    shown = [" ".join(filter(None, (statistic.name, statistic.label))) for statistic in statistics]
    by_group = _frame(statistics, groups).by_group.to_numpy(float)
    listed: list[Group] = [
        {
            "group": group.label,
            "rows": len(group.places),
            "counted": len(group.places) >= minimum,
            "statistics": dict(zip(shown, map(defined, values), strict=True)),
        }
        for group, values in zip(groups, by_group.tolist(), strict=True)
    ]
    names = DISPARITIES[contract.problem]
    none: Interval = {"value": None, "low": None, "high": None}
    disparities = dict.fromkeys(names, none)
    counted = [group for group in groups if len(group.places) >= minimum]
    if len(counted) > 1:
        disparities = _disparities(statistics, counted, names, contract.training.seed)
    return {"minimum_rows": minimum, "groups": listed, "disparities": disparities}


def _disparities(
    statistics: Sequence[Statistic], groups: Sequence[Part], names: Sequence[str], seed: int
) -> dict[str, Interval]:
    frame = _frame(statistics, groups)
    alone = np.sum(~np.isnan(frame.by_group.to_numpy(float)), axis=0) < _A_PAIR
    apart = {
        is_ratio: np.where(alone, np.nan, found.to_numpy(float))
        for is_ratio, found in ((True, frame.ratio()), (False, frame.difference()))
    }
    drawn = resampled(
        {name: _disparity(name, statistics, groups) for name in names}, len(statistics[0].part), seed
    )
    return {
        name: interval(float(_worst(name, statistics, apart[_is_ratio(name)])), drawn[name]) for name in names
    }


def _frame(statistics: Sequence[Statistic], groups: Sequence[Part]) -> Any:
    """fairlearn's `MetricFrame`: a row a group, a column a statistic, both in their order."""
    # Importing it takes seconds, which only models with sensitive features pay.
    from fairlearn.metrics import MetricFrame

    places = np.concatenate([group.places for group in groups])
    return MetricFrame(
        metrics={f"{i}": partial(_share, statistic) for i, statistic in enumerate(statistics)},
        y_true=places,
        y_pred=places,
        sensitive_features={
            "group": np.repeat(np.arange(len(groups)), [len(group.places) for group in groups])
        },
    )


def _share(statistic: Statistic, places: Array, _predicted: Array) -> float:
    part, whole = statistic.part[places].sum(), statistic.whole[places].sum()
    return float(part / whole) if whole else np.nan


def _disparity(name: str, statistics: Sequence[Statistic], groups: Sequence[Part]) -> Measure:
    """What `MetricFrame` finds between the groups, of many weightings of the rows."""
    compared = [statistic for statistic in statistics if statistic.name in COMPARED[name]]

    def measured(weights: Array) -> Array:
        found = []
        for statistic in compared:
            sums = [
                weights[:, g.places] @ np.stack([statistic.part[g.places], statistic.whole[g.places]], axis=1)
                for g in groups
            ]
            shares = np.stack([divided(one[:, 0], one[:, 1], np.nan) for one in sums])
            # fmin and fmax leave out what is not defined.
            least, most = np.fmin.reduce(shares), np.fmax.reduce(shares)
            gap = divided(least, most, np.nan) if _is_ratio(name) else most - least
            found.append(np.where(np.sum(~np.isnan(shares), axis=0) < _A_PAIR, np.nan, gap))
        return _worst(name, compared, np.stack(found))

    return measured


def _worst(name: str, statistics: Sequence[Statistic], apart: Array) -> Array:
    """Of how far groups are apart in each statistic [statistics, ...]: the worst of all classes [...].

    A class in which nothing can be compared is left out; a disparity of two rates needs both.
    """
    of_classes, of_rates = (np.fmin, np.minimum) if _is_ratio(name) else (np.fmax, np.maximum)
    places = [[i for i, statistic in enumerate(statistics) if statistic.name == r] for r in COMPARED[name]]
    found: Array = of_rates.reduce([of_classes.reduce(apart[chosen]) for chosen in places])
    return found


def _is_ratio(name: str) -> bool:
    return name.endswith("_ratio")


def _statistics(rows: Rows, classes: Sequence[str]) -> Iterator[Statistic]:
    ones = np.ones(len(rows))
    if rows.problem == "regression":
        yield Statistic("mean_prediction", "", rows.predictions, ones)
        yield Statistic("mean_residual", "", -rows.errors, ones)
        yield Statistic("mae", "", np.abs(rows.errors), ones)
        return
    yield Statistic("accuracy", "", (rows.chosen == rows.truth).astype(float), ones)
    for k in [1] if rows.problem == "binary" else rows.codes:
        label = "" if rows.problem == "binary" else classes[k]
        truth, chosen = (rows.truth == k).astype(float), (rows.chosen == k).astype(float)
        yield Statistic("selection_rate", label, chosen, ones)
        yield Statistic("true_positive_rate", label, truth * chosen, truth)
        yield Statistic("false_positive_rate", label, (1 - truth) * chosen, 1 - truth)
