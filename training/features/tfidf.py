"""Words of texts by TF-IDF: how often each occurs in a text, and how few other texts have it.

A text is as `tabular.values.words` leaves it. Weights are those of scikit-learn's
`TfidfVectorizer`: the count of a word times 1 + ln((1 + n) / (1 + texts that have it)), and a
text's weights are divided by their Euclidean length.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2, f_regression

from contract.schema import Contract
from tabular.samples import Samples
from training.features.onnx_nodes import Fragment, Writer

RARE_ROWS = 5
"""Words in fewer rows have no column."""
LARGEST_VOCABULARY = 300
"""Of all texts together."""
MOST_CELLS = 100_000_000
"""All texts' words, in all rows: the matrix holds them whether they occur or not."""


class Vocabulary(NamedTuple):
    """The words of one textual feature that have a column, in their order, and their weights."""

    words: tuple[str, ...]
    weights: NDArray[np.float32]


def learn(samples: Samples, target: NDArray[np.float64], contract: Contract) -> list[Vocabulary]:
    """The words of each textual feature that tell most about the target [n], and their weights.

    They are those of the greatest chi² of their occurrence and the class, or F of a regression.
    """
    most = min(LARGEST_VOCABULARY, MOST_CELLS // len(samples)) // max(1, len(contract.textual))
    return [
        _learned(column, target, most, regression=contract.problem == "regression")
        for column in samples.texts.T
    ]


def weights(texts: str, features: Sequence[tuple[str, Vocabulary]]) -> Fragment:
    """Columns of `texts` str [n, t] as the weights of their words; each with its name."""
    write = Writer("text")
    outputs: list[str] = []
    names: list[str] = []
    for place, (name, (known, weighed)) in enumerate(features):
        if not known:
            continue
        column = write("Gather", texts, place, axis=1)
        words = write("StringSplit", column, outputs=2, delimiter=" ")
        counted = write(
            "TfIdfVectorizer",
            words,
            mode="TFIDF",
            min_gram_length=1,
            max_gram_length=1,
            max_skip_count=0,
            ngram_counts=[0],
            ngram_indexes=list(range(len(known))),
            pool_strings=list(known),
            weights=weighed.tolist(),
        )
        outputs.append(write("LpNormalization", counted, axis=-1, p=2))
        names += [f"{name}: {word}" for word in known]
    return write.fragment(write("Concat", *outputs, axis=1) if outputs else "", tuple(names))


def occurrences(column: NDArray[np.object_], words: Sequence[str]) -> NDArray[np.float64]:
    """Return which of some words are in each of some texts [n, words]."""
    if not words:
        return np.empty((len(column), 0))
    counter = CountVectorizer(analyzer=str.split, binary=True, vocabulary=list(words), dtype=np.float64)
    counts: NDArray[np.float64] = counter.transform(column).toarray()
    return counts


def _learned(
    column: NDArray[np.object_], target: NDArray[np.float64], most: int, *, regression: bool
) -> Vocabulary:
    counter = CountVectorizer(analyzer=str.split, binary=True, dtype=np.float64)
    try:
        occurs = counter.fit_transform(column).tocsc()
    except ValueError:  # there is no word at all
        return Vocabulary((), np.empty(0, np.float32))
    words = counter.get_feature_names_out()
    rows = np.diff(occurs.indptr)
    often = np.flatnonzero((rows >= RARE_ROWS) & (rows < len(column)))
    informative = _information(occurs[:, often], target, regression=regression)
    chosen = np.sort(often[np.lexsort((often, -informative))[:most]])
    weighed = 1 + np.log((1 + len(column)) / (1 + rows[chosen]))
    return Vocabulary(tuple(words[chosen].tolist()), weighed.astype(np.float32))


def _information(
    occurs: sparse.csc_matrix, target: NDArray[np.float64], *, regression: bool
) -> NDArray[np.float64]:
    """Return the information of each word's occurrence [n, words] on the target; rounded, as sums differ."""
    if not occurs.shape[1]:
        return np.empty(0)
    scores, _ = (f_regression if regression else chi2)(occurs, target)
    rounded: NDArray[np.float64] = np.array([float(f"{score:.6g}") for score in scores])
    return np.nan_to_num(rounded, nan=0.0, posinf=np.finfo(float).max)
