"""Making a baseline of what a model was trained and tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.schema import Contract
from contract.serving import HIGHEST_PROBABILITY, PREDICTION, PROBABILITY, probability_column
from monitoring.baseline import joint_null
from monitoring.baseline.bin_weights import of_category, of_number
from monitoring.baseline.bins import Bins, CategoryBins, NumberBins
from monitoring.baseline.column_statistics import Measure
from monitoring.baseline.document import Baseline, Reference
from monitoring.baseline.null_distribution import WINDOWS, simulate
from monitoring.baseline.resampling import Draws, windows
from tabular.samples import Samples
from tabular.values import lengths

Column = Any
"""float32 [n] of a number or of a text's length, str [n] of a category."""


def describe(
    contract: Contract,
    classes: Sequence[str],
    train: Samples,
    holdout: Samples,
    output: NDArray[np.floating],
    *,
    refit: bool = False,
) -> Baseline:
    """Each feature over the training rows, each column of a result over the holdout.

    `output` is the graph's of the holdout: probabilities [n, classes] or values [n]. The rows
    of both sides say what undisturbed windows of a feature look like; where the model was `refit` to
    all rows, those of the holdout are among the training rows already.
    """
    random = np.random.default_rng(contract.training.seed)
    trained, held_out = (columns(contract, side) for side in (train, holdout))
    more = {name: column[:0] if refit else column for name, column in held_out.items()}
    draws = windows(WINDOWS, len(train) + (0 if refit else len(holdout)), random)
    features = {name: reference(trained[name], more[name], draws) for name in contract.feature_names}
    draws = windows(WINDOWS, len(holdout), random)
    given = predicted(contract, classes, output)
    predictions = {name: reference(column, column[:0], draws) for name, column in given.items()}
    name, turned_out = outcome(contract, holdout.coded_target(tuple(classes)), output)
    predictions[name] = with_outcome(predictions[name], given[name], turned_out)
    together = joint_null.simulate({**features, **predictions}, {**held_out, **given}, random)
    return Baseline(features, predictions, together)


def columns(contract: Contract, rows: Samples) -> dict[str, Column]:
    """Features by name, of a text its number of words."""
    return {
        **dict(zip((feature.name for feature in contract.numeric), rows.numbers.T, strict=True)),
        **dict(zip((feature.name for feature in contract.categorical), rows.categories.T, strict=True)),
        **{feature.name: lengths(rows.texts[:, i]) for i, feature in enumerate(contract.textual)},
    }


def predicted(
    contract: Contract, classes: Sequence[str], output: NDArray[np.floating]
) -> dict[str, NDArray[np.floating]]:
    """A graph's output by the columns of a result that it fills."""
    if contract.problem == "regression":
        return {PREDICTION: output}
    if contract.problem == "binary":
        return {PROBABILITY: output[:, 1]}
    each = {probability_column(label): output[:, code] for code, label in enumerate(classes)}
    return {**each, HIGHEST_PROBABILITY: output.max(axis=1)}


def outcome(
    contract: Contract, truth: NDArray[np.floating], output: NDArray[np.floating]
) -> tuple[str, NDArray[np.float64]]:
    """The column by which rows alike are told, and what turned out of each row [n].

    Of a regression that is its absolute error, of a binary problem 1 where it was positive, of more
    classes 1 where the most probable one was right.
    """
    if contract.problem == "regression":
        return PREDICTION, np.abs(truth - output)
    if contract.problem == "binary":
        return PROBABILITY, truth.astype(np.float64)
    return HIGHEST_PROBABILITY, (output.argmax(axis=1) == truth).astype(np.float64)


def reference(column: Column, more: Column, draws: Mapping[int, Draws]) -> Reference:
    """A column with its nulls; `more` are values of it that tell of the same, but not of the bins."""
    number = column.dtype.kind == "f"
    column = column.astype(np.float32) if number else column
    bins: Bins = NumberBins.of(column) if number else CategoryBins.of(column)
    counts = bins.count(column)
    mean, std = _moments(column) if number else (0.0, 0.0)
    weights = (of_number if number else of_category)(counts, column) + bins.count(more)
    nulls = simulate(Measure.of(bins, counts, std), counts, weights, draws)
    return Reference(bins, counts, nulls, mean=mean, std=std)


def with_outcome(of: Reference, column: Column, turned_out: NDArray[np.float64]) -> Reference:
    """A reference with what turned out [n] of the rows of its column [n]."""
    sums = np.bincount(of.bins.places(column), turned_out, len(of.counts)).astype(np.float64)
    return replace(of, outcome=sums)


def _moments(column: NDArray[np.float32]) -> tuple[float, float]:
    known = column[~np.isnan(column)].astype(np.float64)
    return (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
