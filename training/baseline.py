"""The baseline: what the training data and the model's answers looked like.

It travels inside the artifact, so that whoever watches the model in use compares with
what this very model was made from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.schema import Contract
from training.samples import Samples
from training.values import MISSING

BINS = 20
LISTED_VALUES = 250


def describe(contract: Contract, train: Samples, predictions: NDArray[np.float64]) -> dict[str, Any]:
    """The document: each feature over the training rows, and predictions over the holdout.

    `predictions` are probabilities [n, classes] or values [n].
    """
    described = {
        **dict(zip((f.name for f in contract.numeric), map(_numbers, train.numbers.T), strict=True)),
        **dict(
            zip((f.name for f in contract.categorical), map(_categories, train.categories.T), strict=True)
        ),
    }
    return {
        "rows": len(train),
        "features": {name: described[name] for name in contract.feature_names},
        "predictions": [_numbers(column) for column in np.atleast_2d(predictions.T)],
    }


def _numbers(column: NDArray[Any]) -> dict[str, Any]:
    """Share missing, moments, and how many values lie in each bin; `edges` are one more than `counts`.

    Edges are quantiles, so that bins hold about as many rows each; equal ones are merged.
    """
    known = column[~np.isnan(column)].astype(np.float64)
    missing = 1 - len(known) / max(1, len(column))
    if not len(known):
        return {"missing": missing, "edges": [], "counts": []}
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    counts, _ = np.histogram(known, edges) if len(edges) > 1 else (np.array([len(known)]), edges)
    return {
        "missing": missing,
        "mean": float(known.mean()),
        "std": float(known.std()),
        "edges": edges.tolist(),
        "counts": counts.tolist(),
    }


def _categories(column: NDArray[np.object_]) -> dict[str, Any]:
    """Share missing, and rows of each of the most frequent values; `other` is the rest's."""
    known = column[column != MISSING]
    values, counts = np.unique(known, return_counts=True)
    listed = np.lexsort((values, -counts))[:LISTED_VALUES]
    return {
        "missing": 1 - len(known) / max(1, len(column)),
        "counts": {str(values[i]): int(counts[i]) for i in listed},
        "other": int(len(known) - counts[listed].sum()),
    }
