"""Features as an estimator takes them: one float32 matrix.

Numbers come first, as they were read, NaN where missing; datetimes are hours since 1970. Then
come categories: a code from 0 in a learned vocabulary, in which `MISSING` is a value like any
other; what is not in the vocabulary, because it is rare or was never seen, is `UNSEEN`. Then
comes what is derived (`training.features`): parts of dates, words of texts, the model's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import OrdinalEncoder

from contract.schema import Contract
from tabular.samples import Samples
from tabular.values import UNSEEN
from training.features.dates import PARTS
from training.features.derived import Derived

LARGEST_VOCABULARY = 250
"""More values than this have no code of their own: a histogram of a tree has 255 bins."""
RARE_ROWS = 5
"""Values in fewer rows than this are treated as never seen, so that the model learns what that means."""


@dataclass(frozen=True)
class Columns:
    """The matrix's columns in their order: names, and of codes the number of values.

    `dates` are parts of dates, whole numbers from 0, -1 where missing. `words` are weights of
    words in texts, 0 to 1. `own` are those of the model's own features.
    """

    numbers: tuple[str, ...]
    categories: tuple[tuple[str, int], ...]
    dates: tuple[tuple[str, int], ...] = ()
    words: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def fit_encoder(samples: Samples, codes: NDArray[np.float64], contract: Contract) -> OrdinalEncoder | None:
    """Learn the vocabulary of each category from training rows; None where there is no category.

    `codes` [n] is the target as a number.
    """
    if not contract.categorical:
        return None
    if contract.problem == "multiclass":
        codes = codes == np.bincount(codes.astype(int)).argmax()
    vocabularies = [_vocabulary(column, codes) for column in samples.categories.T]
    encoder = OrdinalEncoder(
        categories=vocabularies, handle_unknown="use_encoded_value", unknown_value=UNSEEN, dtype=np.float32
    )
    return encoder.fit(samples.categories)


def base_columns(contract: Contract, encoder: OrdinalEncoder | None) -> Columns:
    """The columns that `base` makes."""
    sizes: Sequence[int] = [] if encoder is None else [len(values) for values in encoder.categories_]
    return Columns(
        numbers=tuple(feature.name for feature in contract.numeric),
        categories=tuple(zip((feature.name for feature in contract.categorical), sizes, strict=True)),
    )


def with_derived(base: Columns, derived: Derived) -> Columns:
    """The columns of the estimator's matrix."""
    dates = derived.dates.names if derived.dates else ()
    return replace(
        base,
        dates=tuple((name, PARTS[name.rpartition(".")[2]]) for name in dates),
        words=derived.words.names if derived.words else (),
        own=tuple(name for fragment in derived.own for name in fragment.names),
    )


def base(samples: Samples, encoder: OrdinalEncoder | None) -> NDArray[np.float32]:
    """Samples as numbers and codes, float32 [n, numbers + categories]."""
    if encoder is None:
        return samples.numbers
    return np.hstack([samples.numbers, encoder.transform(samples.categories)])


def _vocabulary(column: NDArray[np.object_], target: NDArray[np.float64]) -> NDArray[np.object_]:
    """The values of a category that get a code, ordered by the mean of the target.

    For a binary target and for squared error, the best split of a category's values into
    two sets is then a split of this order (Breiman et al., Classification and Regression
    Trees, 1984, theorem 4.5), so a tree that compares codes finds it.
    """
    values, places, rows = np.unique(column, return_inverse=True, return_counts=True)
    means = np.bincount(places, weights=target) / rows
    often = np.lexsort((values, -rows))[:LARGEST_VOCABULARY]
    # A vocabulary is never empty, however rare everything is.
    kept = [place for i, place in enumerate(often) if i == 0 or rows[place] >= RARE_ROWS]
    ordered: NDArray[np.object_] = values[sorted(kept, key=means.__getitem__)]
    return ordered
