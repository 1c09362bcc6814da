"""What the checks look at: what was collected, and what the sample says of each feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.schema import Contract, Feature
from monitoring.baseline import Drift, drift
from tabular.samples import Samples
from training.evaluation.slices import column
from training.validation.live_data import Live
from training.validation.profile import Collected
from training.validation.rows.duplicates import Repeated
from training.validation.univariate import (
    FEW_VALUES,
    Array,
    Coded,
    alone,
    category_codes,
    number_codes,
    ordered_map,
)

CHANCE = 0.01
"""Differences that chance makes more often than this are none."""


@dataclass(frozen=True, eq=False)
class Column:
    """A feature's values in the sample [n], of a text its number of words, and what they alone say.

    `alone` and `ordered` are ROC AUC, 0.5 to 1, the mean over the classes; of a regression R².
    `ordered` takes a number as one that only rises or falls with the target. `distinct` counts
    known values.
    """

    feature: Feature
    values: NDArray[Any]
    known: int
    distinct: int
    alone: float
    ordered: float

    @property
    def strength(self) -> float:
        """The most that the feature alone says; NaN where that is not defined."""
        return float(np.fmax(self.alone, self.ordered))


@dataclass(frozen=True, eq=False)
class Evidence:
    """A dataset as the checks see it. `live` is what is known of the live model, None if there is none."""

    contract: Contract
    collected: Collected
    live: Live | None = None

    @cached_property
    def sample(self) -> Samples:
        """All sound rows, or some of them.

        Raises:
            LookupError: there is none.
        """
        rows = self.collected.sample.rows()
        if rows is None:
            raise LookupError("no row of the dataset keeps the contract")
        return rows

    @cached_property
    def repeats(self) -> tuple[Repeated, Repeated]:
        """Rows that repeat another, and rows whose features have another label, too."""
        return self.collected.repeats.find()

    @cached_property
    def classes(self) -> tuple[str, ...]:
        return self.sample.classes(self.contract)

    @cached_property
    def target(self) -> NDArray[np.float64]:
        """The sample's target [n]: values, or codes of classes."""
        return self.sample.coded_target(self.classes)

    @cached_property
    def coded(self) -> Coded:
        """The sample's target in classes, or in a few bins."""
        if self.classes:
            return Coded(self.target.astype(np.int64), len(self.classes))
        return number_codes(self.target, most=10, few=10)

    @cached_property
    def drift(self) -> Mapping[str, Drift]:
        """Each feature beside the live model's data; nothing where there is none to compare with."""
        if self.live is None or self.live.baseline is None:
            return {}
        return drift(self.live.baseline, self.collected.counts, false_alarm_rate=CHANCE)

    @property
    def datetimes(self) -> frozenset[str]:
        """The features that are times."""
        return frozenset(f.name for f in self.contract.features if f.type == "datetime")

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Each feature by its name."""
        return {feature.name: self._column(feature) for feature in self.contract.features}

    def _column(self, feature: Feature) -> Column:
        values = column(self.contract, self.sample, feature.name)
        if feature.type != "category":
            numbers = values.astype(np.float64)
            known = numbers[~np.isnan(numbers)]
            coded, ordered = number_codes(numbers), ordered_map(numbers, self.target, len(self.classes))
            count, distinct = len(known), len(np.unique(known))
        else:
            coded, ordered = category_codes(values), float("nan")
            present = values[values != ""]
            count, distinct = len(present), len(set(present.tolist()))
        said = alone(coded, self.target, len(self.classes))
        return Column(feature, values, count, distinct, said, ordered)


def few_whole(column: Column) -> bool:
    """Whether a number takes a few whole values only, as codes would."""
    if column.feature.type != "number" or not 2 < column.distinct <= FEW_VALUES:
        return False
    return whole(column.values)


def whole(values: Array) -> bool:
    """Whether all known numbers are whole."""
    known = values[~np.isnan(values)]
    return bool((known == np.round(known)).all())
