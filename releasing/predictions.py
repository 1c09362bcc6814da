"""Whether a candidate predicts what it is expected to, by counts in the bins of its sealed baseline.

The null is "at least a share 1 − tolerance of the predictions are distributed as expected, and the others
anyhow": of the distributions with p ≥ (1 − tolerance) · expected in every bin, whichever fits best. The
evidence is the Dirichlet–multinomial likelihood of the counts over that one's, an e-value at every look
(universal inference: Wasserman, Ramdas, Balakrishnan, 2020). A stream that is not quite the expected one
differs a little, and with enough predictions any difference would count: hence a tolerance.

A count is of requests: one with many rows adds to each bin the share of its rows that is in it, since rows
that come together are alike (by the inequality of the means the evidence stays an e-value).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Counts = Sequence[float]
_PRIOR = 0.5
"""Jeffreys'."""
TOLERANCE = 0.1


def expected_of(live: Counts, pairs: Sequence[Counts]) -> list[float]:
    """The distribution of the candidate's predictions for requests of which the live version's are these.

    `pairs[i][j]` counts replayed requests to which the live version's answer was in its bin i and the
    candidate's in its own bin j: so that what the stream is of, now, is taken into account. A bin of the live
    version without any pair counts as all of them together.
    """
    columns = [sum(row[column] for row in pairs) for column in range(len(pairs[0]))]
    result = [0.0] * len(columns)
    for count, row in zip(live, pairs, strict=True):
        known = row if sum(row) else columns
        for column, pair in enumerate(known):
            result[column] += count * pair / sum(known)
    return shares(result)


def shares(counts: Counts) -> list[float]:
    """Counts over their sum; evenly where there are none."""
    whole = sum(counts)
    return [count / whole for count in counts] if whole else [1 / len(counts)] * len(counts)


def evidence(counts: Counts, expected: Sequence[float], tolerance: float = TOLERANCE) -> float:
    """The logarithm of the e-value against "no more than the tolerance is otherwise than expected"."""
    if not sum(counts):
        return 0.0
    best = _best_within(counts, [(1 - tolerance) * share for share in expected])
    fitted = sum(count * math.log(share) for count, share in zip(counts, best, strict=True) if count)
    return _log_marginal(counts) - fitted


def distance(counts: Counts, expected: Sequence[float]) -> float:
    """The total variation distance: the share of predictions that would have to be others."""
    found = shares(counts)
    return 0.5 * sum(abs(left - right) for left, right in zip(found, expected, strict=True))


def distance_bound(counts: Counts, expected: Sequence[float], looks: int, alpha: float) -> float:
    """An upper bound of the true distance that fails with probability alpha over all looks.

    By the triangle inequality, the mean distance of counts from their own distribution, √(bins / 4 n), and
    McDiarmid's inequality; the l-th look takes alpha / l (l + 1) of it.
    """
    number = sum(counts)
    if not number:
        return 1.0
    chance = math.sqrt(len(counts) / (4 * number))
    level = math.log(looks * (looks + 1) / alpha)
    return min(1.0, distance(counts, expected) + chance + math.sqrt(level / (2 * number)))


def _best_within(counts: Counts, least: Sequence[float]) -> list[float]:
    """The distribution with at least so much in each bin under which the counts are likeliest."""
    held: set[int] = set()
    while True:
        free = sum(count for index, count in enumerate(counts) if index not in held)
        room = 1 - sum(least[index] for index in held)
        scale = room / free if free else 0.0
        short = {i for i, count in enumerate(counts) if i not in held and count * scale < least[i]}
        if not short:
            break
        held |= short
    return [least[i] if i in held else count * scale for i, count in enumerate(counts)]


def _log_marginal(counts: Counts) -> float:
    """The likelihood of a sequence with these counts, the distribution drawn from the prior."""
    number, prior = sum(counts), _PRIOR * len(counts)
    gained = sum(math.lgamma(count + _PRIOR) - math.lgamma(_PRIOR) for count in counts)
    return math.lgamma(prior) - math.lgamma(prior + number) + gained
