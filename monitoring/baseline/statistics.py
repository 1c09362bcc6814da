"""Statistics of drift, computed from counts alone.

Each takes counts of the reference and of a window [..., bins], and gives an array [...].
All are 0 where both have the same shares and grow with the difference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_HALF = 0.5
"""Added to each count where a logarithm is taken, so that an empty bin is no infinite difference."""


def differences(reference: Array, window: Array) -> Array:
    """Distribution function of the reference less that of the window, behind each bin but the last."""
    return _distribution(reference) - _distribution(window)


def kolmogorov_smirnov(difference: Array) -> Array:
    """D = max |F − G| at the bins' edges, 0 to 1 (Kolmogorov, 1933; Smirnov, 1939).

    Takes `differences`. Between two edges F − G can be larger, by less than a bin's share.
    """
    statistic: Array = np.abs(difference).max(axis=-1, initial=0)
    return statistic


def wasserstein(difference: Array, widths: Array) -> Array:
    """W₁ = ∫ |F − G| dx, the work of moving one onto the other (Vaserstein, 1969; Villani, 2009, ch. 6).

    Takes `differences`, and the width each stands for, in standard deviations of the reference,
    which is then the unit. What lies beyond the reference's range counts as if at its end.
    """
    statistic: Array = np.abs(difference) @ widths
    return statistic


def population_stability(reference: Array, window: Array) -> Array:
    """PSI = Σ (p − q) ln(p / q): Jeffreys' divergence (Kullback and Leibler, 1951; Siddiqi, 2006)."""
    p, q = _smoothed(reference), _smoothed(window)
    statistic: Array = ((p - q) * np.log(p / q)).sum(axis=-1)
    return statistic


def jensen_shannon(reference: Array, window: Array) -> Array:
    """√(H(m) − (H(p) + H(q)) / 2) in bits, m = (p + q) / 2: a distance, 0 to 1.

    (Lin, 1991, eq. 4.1; a metric by Endres and Schindelin, 2003.)
    """
    p, q = _smoothed(reference), _smoothed(window)
    m = (p + q) / 2
    bits = (p * np.log2(p / m) + q * np.log2(q / m)).sum(axis=-1) / 2
    statistic: Array = np.sqrt(np.maximum(bits, 0))
    return statistic


def total_variation(reference: Array, window: Array) -> Array:
    """TV = ½ Σ |p − q|: the share of rows that would have to change, 0 to 1 (Levin and Peres, 2017)."""
    statistic: Array = np.abs(_shares(reference) - _shares(window)).sum(axis=-1) / 2
    return statistic


def chi_squared(reference: Array, window: Array) -> Array:
    """X² = Σ (√(n/m) r − √(m/n) w)² / (r + w), of counts r and w with sums m and n (Pearson, 1911)."""
    m, n = _sum(reference), _sum(window)
    both = reference + window
    squares = (np.sqrt(n / m) * reference - np.sqrt(m / n) * window) ** 2
    statistic: Array = np.divide(squares, both, out=np.zeros_like(squares), where=both > 0).sum(axis=-1)
    return statistic


def _distribution(counts: Array) -> Array:
    cumulative = np.cumsum(counts, axis=-1)
    shares: Array = cumulative[..., :-1] / np.maximum(cumulative[..., -1:], 1)
    return shares


def _smoothed(counts: Array) -> Array:
    return _shares(counts + _HALF)


def _shares(counts: Array) -> Array:
    shares: Array = counts / _sum(counts)
    return shares


def _sum(counts: Array) -> Array:
    total: Array = np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    return total
