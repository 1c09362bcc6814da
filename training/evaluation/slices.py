"""Where the model does badly: one metric on the rows in which a feature has one value, or one in a bin."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from contract.documents.evaluation import Slice, Slices
from contract.gates import LOWER_IS_BETTER, PRIMARY
from contract.schema import Contract, Feature
from metrics.bootstrap import interval, resampled
from metrics.formulas import Array, Measure
from metrics.problem_metrics import Rows
from tabular.samples import Samples
from tabular.values import lengths, moment

MAXIMUM_ROWS = 20_000
BINS = 5
"""Of a number, by its quantiles, where it has more distinct values than that many twice."""
MISSING_SLICE = "(missing)"


class Part(NamedTuple):
    """Rows of one value or bin: its label, and where they are [m]."""

    label: str
    places: Array


def find(contract: Contract, holdout: Samples, rows: Rows) -> Slices:
    """Every slice of every feature, worst first, on at most `MAXIMUM_ROWS` rows drawn at random."""
    metric = contract.evaluation.metric or PRIMARY[contract.problem]
    seed, minimum = contract.training.seed, contract.evaluation.minimum_rows
    some = sampled(len(holdout), MAXIMUM_ROWS, seed)
    held, rows = holdout.where(some), rows.at(some)
    found = {
        (feature.name, part.label): part
        for feature in contract.features
        for part in parts(feature, column(contract, held, feature.name))
    }
    large = {key: part.places for key, part in found.items() if len(part.places) >= minimum}
    judged = _judged(large, rows, metric, seed)
    sign = 1 if metric in LOWER_IS_BETTER else -1
    return {
        "metric": metric,
        "higher_is_better": sign < 0,
        "minimum_rows": minimum,
        "sampled_rows": len(rows),
        "too_small": len(found) - len(large),
        "worst_first": sorted(judged, key=lambda s: -math.inf if s["value"] is None else sign * s["value"])[
            ::-1
        ],
    }


def _judged(places: dict[tuple[str, str], Array], rows: Rows, metric: str, seed: int) -> Iterator[Slice]:
    def measured(at: Array) -> Measure:
        measure = rows.at(at).measure(metric)
        return lambda weights: measure(weights.T[at].T)

    drawn = resampled({f"{i}": measured(at) for i, at in enumerate(places.values())}, len(rows), seed)
    for ((feature, label), at), draws in zip(places.items(), drawn.values(), strict=True):
        value = interval(rows.at(at).score(metric), draws)
        yield {"feature": feature, "slice": label, "rows": len(at), **value}


def column(contract: Contract, samples: Samples, name: str) -> Array:
    """One feature's values [n]: float32 of numbers, datetimes and texts' lengths, str of categories."""
    numbers = [f.name for f in contract.numeric]
    if name in numbers:
        return samples.numbers[:, numbers.index(name)]
    texts = [f.name for f in contract.textual]
    if name in texts:
        return lengths(samples.texts[:, texts.index(name)])
    return samples.categories[:, [f.name for f in contract.categorical].index(name)]


def parts(feature: Feature, values: Array) -> Iterator[Part]:
    """Each value of a category, and bins of numbers by their quantiles; missing values are one part.

    Of texts the number is that of their words.
    """
    if feature.type == "category":
        for value in sorted(set(values.tolist())):
            label = repr(value) if value == MISSING_SLICE else value or MISSING_SLICE
            yield Part(label, np.flatnonzero(values == value))
        return
    missing = np.isnan(values)
    if missing.any():
        yield Part(MISSING_SLICE, np.flatnonzero(missing))
    known = np.unique(values[~missing])
    if len(known) <= 2 * BINS:
        for value, label in zip(known, _shown(feature, known), strict=True):
            yield Part(label, np.flatnonzero(values == value))
        return
    edges = np.unique(np.quantile(values[~missing], np.linspace(0, 1, BINS + 1), method="higher"))
    shown = _shown(feature, edges)
    for i, (low, high) in enumerate(pairwise(edges)):
        last = i == len(edges) - 2
        inside = (values >= low) & ((values <= high) if last else (values < high))
        label = f"[{shown[i]}, {shown[i + 1]}{']' if last else ')'}"
        yield Part(label, np.flatnonzero(inside))


def sampled(rows: int, most: int, seed: int) -> Array:
    """A mask [n] of all rows, or of so many drawn at random."""
    chosen = np.ones(rows, bool)
    if rows > most:
        chosen[:] = False
        chosen[np.random.default_rng(seed).choice(rows, most, replace=False)] = True
    return chosen


_FORMS: Mapping[str, Sequence[Callable[[float], str]]] = {
    "number": (lambda value: f"{value:.6g}", lambda value: f"{value:.9g}"),
    "text": (lambda value: f"{value:.6g} words", lambda value: f"{value:.9g} words"),
    "datetime": (
        lambda value: moment(value).date().isoformat(),
        lambda value: moment(value).replace(tzinfo=None).isoformat(timespec="minutes"),
        lambda value: f"{value:.9g} hours since 1970",
    ),
}
"""How to write a feature's values, the shortest first. Nine digits tell all numbers of 32 bits apart."""


def _shown(feature: Feature, values: Array) -> list[str]:
    """Different values [n], each written so that it differs from the others."""
    for form in _FORMS[feature.type]:
        shown = [form(value) for value in values.tolist()]
        if len(set(shown)) == len(shown):
            break
    return shown
