"""The null of all columns together, as a baseline keeps it: quantiles of their mean e-value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from metrics.evidence import LEAST_P, e_values

DRAWS = 1_000
LEVELS = np.concatenate([np.linspace(1, 0.1, 19), np.geomspace(0.1, 10 / DRAWS, 9)[1:]])
"""Shares of windows above each quantile."""

_GRID = np.geomspace(1, LEAST_P, 400)
_E_GRID = e_values(_GRID)


@dataclass(frozen=True, eq=False)
class JointNull:
    """By rows of a window, the quantiles [levels] of the mean e-value of so many `columns`."""

    columns: int
    quantiles: Mapping[int, NDArray[np.float64]]

    def p_value(self, mean: float, rows: int) -> float:
        """The probability of a mean e-value this large in a window of so many rows.

        Beyond what was drawn one column decides, so the tail is that of a single one's e-value.
        """
        sizes = sorted(self.quantiles)
        of_size = [self._p_value(mean, self.quantiles[size]) for size in sizes]
        return float(np.exp(np.interp(np.log(max(rows, 1)), np.log(sizes), np.log(of_size))))

    def _p_value(self, mean: float, quantiles: NDArray[np.float64]) -> float:
        last = quantiles[-1]
        if mean <= last:
            return float(np.interp(mean, quantiles, LEVELS))
        fall = _p_of_e(self.columns * mean) / _p_of_e(self.columns * last)
        return max(float(LEVELS[-1] * fall), LEAST_P)

    def to_json(self) -> dict[str, Any]:
        quantiles = {
            str(size): [float(f"{value:.6g}") for value in values] for size, values in self.quantiles.items()
        }
        return {"columns": self.columns, "quantiles": quantiles}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        quantiles = {int(size): np.array(values) for size, values in document["quantiles"].items()}
        return cls(document["columns"], quantiles)


def _p_of_e(e_value: float) -> float:
    """The p-value of an e-value: `e_values` the other way."""
    return float(np.exp(np.interp(np.log(e_value), np.log(_E_GRID), np.log(_GRID))))
