"""The size that the evidence of all columns together reaches where nothing has changed.

Columns go together: a window in which one looks odd is one in which others do. So rows are drawn whole, in
windows of several sizes, each from a population that is itself drawn around the sample (Rubin, 1981: the
Bayesian bootstrap), and the mean e-value of the columns is kept as quantiles. By them the mean e-value of
a window in use becomes one p-value, uniform where nothing has changed, whatever the columns have to do
with each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from metrics.evidence import e_values
from monitoring.baseline.document import Reference
from monitoring.baseline.joint_quantiles import DRAWS, LEVELS, JointNull
from monitoring.baseline.null_distribution import WINDOWS
from monitoring.baseline.p_values import judged_rows, p_values

Array = NDArray[Any]

ATOMS = 4_000
"""Rows that windows are drawn from, at most."""
_ERROR = 0.6
"""Of the variance of the reference's own error, so much is drawn anew for each window.

It is the same in all windows of one model, so it makes odd ones rarer, or more frequent, but not odd by
itself: with all of it alarms come at half the stated rate on small references, with none half as often again
(`python -m benchmarks drift`).
"""


def simulate(
    references: Mapping[str, Reference], rows: Mapping[str, Array], random: np.random.Generator
) -> JointNull:
    """Draw windows of whole rows; `rows` has the same rows [n] of each reference's column."""
    count = len(next(iter(rows.values())))
    chosen = random.choice(count, min(count, ATOMS), replace=False)
    atoms = {name: reference.bins.places(rows[name][chosen]) for name, reference in references.items()}
    quantiles = {size: np.quantile(_means(references, atoms, size, random), 1 - LEVELS) for size in WINDOWS}
    return JointNull(len(references), quantiles)


def _means(
    references: Mapping[str, Reference], atoms: Mapping[str, NDArray[np.intp]], size: int, random: Any
) -> Array:
    """The mean e-value of the columns in each of the windows drawn [DRAWS]."""
    count = len(next(iter(atoms.values())))
    total = np.zeros(DRAWS)
    for_rows = {name: judged_rows(reference, size) for name, reference in references.items()}
    smallest = min(reference.rows for reference in references.values())
    masses = random.standard_gamma(smallest / _ERROR / count, (DRAWS, count))
    masses /= masses.sum(axis=1, keepdims=True)
    drawn = random.poisson(size * masses).astype(np.float64)
    for name, reference in references.items():
        bins = len(reference.counts)
        indicator = sparse.csr_matrix((np.ones(count), (np.arange(count), atoms[name])), shape=(count, bins))
        counts = (indicator.T @ drawn.T).T
        rows = for_rows[name]
        if rows < size:
            counts = random.binomial(counts.astype(np.int64), rows / size)
        known = np.bincount(atoms[name], minlength=bins) * (reference.rows / count)
        total += e_values(p_values(reference, counts, rows, against=known))
    return total / len(references)
