"""Percentile bootstrap intervals (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13).

A resample is how often each row was drawn, so that everything is measured on the same ones:
two models compared in pairs, and all metrics of each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from contract.documents.evaluation import Comparison, Interval
from contract.gates import METRICS
from metrics.formulas import Array, Measure
from metrics.problem_metrics import Rows

RESAMPLES = 500
CONFIDENCE = 0.95
_BLOCK_CELLS = 2**20
"""Weights at a time, 8 MB: many of a row lie side by side, and all of them not too far from a processor."""


def intervals(rows: Rows, seed: int) -> dict[str, Interval]:
    """Every metric of the rows with its interval."""
    measures = {name: rows.measure(name) for name in METRICS[rows.problem]}
    drawn = resampled(measures, len(rows), seed)
    values = {name: rows.score(name) for name in measures}
    if "ece" in drawn:
        # Resamples repeat rows, which widens the gaps that it is a mean of: without that bias.
        bias = float(np.nanmean(drawn["ece"])) - values["ece"]
        drawn["ece"] = np.maximum(0, drawn["ece"] - bias)
    return {name: interval(values[name], draws) for name, draws in drawn.items()}


def paired(champion: Rows, challenger: Rows, seed: int) -> dict[str, Comparison]:
    """Every metric of two models on the same rows, and their difference with its interval."""
    names = METRICS[challenger.problem]
    both = {
        f"{who} {name}": rows.measure(name)
        for who, rows in (("champion", champion), ("challenger", challenger))
        for name in names
    }
    drawn = resampled(both, len(challenger), seed)
    result: dict[str, Comparison] = {}
    for name in names:
        theirs, ours = champion.score(name), challenger.score(name)
        difference = interval(ours - theirs, drawn[f"challenger {name}"] - drawn[f"champion {name}"])
        result[name] = {
            "champion": defined(theirs),
            "challenger": defined(ours),
            "difference": difference["value"],
            "low": difference["low"],
            "high": difference["high"],
        }
    return result


def resampled(measures: Mapping[str, Measure], rows: int, seed: int) -> dict[str, Array]:
    """Return each measure on each of `RESAMPLES` resamples."""
    samples: dict[str, list[Array]] = {name: [] for name in measures}
    for weights in resamples(rows, seed):
        for name, measured in measures.items():
            samples[name].append(measured(weights))
    return {name: np.concatenate(parts) for name, parts in samples.items()}


def resamples(rows: int, seed: int) -> Iterator[Array]:
    """Blocks of resamples, float64 [m, rows]: how often each row was drawn. `RESAMPLES` in all."""
    random = np.random.default_rng(seed)
    most = max(1, _BLOCK_CELLS // rows)
    for first in range(0, RESAMPLES, most):
        count = min(most, RESAMPLES - first)
        drawn = [np.bincount(random.integers(0, rows, rows), minlength=rows) for _ in range(count)]
        # Side by side in memory is what is drawn of a row: rows are what formulas pick and count.
        yield np.stack(drawn, axis=1).astype(float).T


def interval(value: float, draws: Sequence[float] | Array) -> Interval:
    """A value between the quantiles of what resamples gave; None stands for what is not defined."""
    known = np.asarray(draws)[np.isfinite(draws)]
    if not math.isfinite(value) or not len(known):
        return {"value": defined(value), "low": None, "high": None}
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, [tail, 1 - tail]).tolist()
    return {"value": value, "low": low, "high": high}


def defined(value: float) -> float | None:
    """None for NaN and infinity, which JSON does not have."""
    return value if math.isfinite(value) else None
