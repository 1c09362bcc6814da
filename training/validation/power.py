"""How strong a relation must be for `signal` to see it: with few rows, to find none says little.

By ranks one feature of m is found at level α/m with a power of 90 % where its effect is
z(1 − α/2m) + z(0.9) standard errors. Of ROC AUC, under no relation, one is
√((n₁ + n₀ + 1) / 12 n₁ n₀) (Mann and Whitney, 1947); of Spearman's ρ it is 1 / √(n − 1).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from training.validation import signal_test

if TYPE_CHECKING:
    from training.validation.evidence import Evidence

POWER = 0.9
CLEAR_AUC = 0.75
CLEAR_CORRELATION = 0.5
"""A check that would miss even these cannot say that there is no relation."""
LOWEST_LEVEL = 1e-6


def tells(evidence: Evidence) -> bool:
    """Whether there are enough rows for a clear relation to show."""
    return visible(evidence) <= (CLEAR_AUC if evidence.classes else CLEAR_CORRELATION)


def visible(evidence: Evidence) -> float:
    """The ROC AUC, or of a regression the rank correlation, from which on a feature is likely found."""
    limit = max(evidence.contract.validation["signal"].limit or 0.0, LOWEST_LEVEL)
    level = limit / (signal_test.TESTS * signal_test.tests(evidence))
    errors = float(ndtri(1 - level / 2) + ndtri(POWER))
    rows = len(evidence.target)
    if not evidence.classes:
        return min(1.0, errors / math.sqrt(max(rows - 1, 1)))
    counts = np.bincount(evidence.target.astype(np.int64), minlength=len(evidence.classes))
    most = int(counts.max())
    others = max(rows - most, 1) if len(counts) > 1 else 1
    return min(1.0, 0.5 + errors * math.sqrt((rows + 1) / (12 * most * others)))
