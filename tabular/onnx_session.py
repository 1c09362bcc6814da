"""An exported model, ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from tabular.rows import NO_TEXTS

NUMBERS = "numbers"
CATEGORIES = "categories"
TEXTS = "texts"
OUTPUT = "output"

TEXT_ROWS = 500

_ERRORS_ONLY = 3


class Graph:
    """An ONNX graph as `training.model.onnx_export` makes it, in one onnxruntime session."""

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        """`threads` is how many one run may use."""
        self._session = _session(model, threads)
        self._inputs = [declared.name for declared in self._session.get_inputs()]

    def run(
        self,
        numbers: NDArray[np.float32],
        categories: NDArray[np.object_],
        texts: NDArray[np.object_] = NO_TEXTS,
    ) -> NDArray[np.float32]:
        """Probabilities [n, classes], or values [n] of a regression, for n rows.

        Raises:
            Exception: whatever onnxruntime raises where the graph fails.
        """
        given = {NUMBERS: numbers, CATEGORIES: categories, TEXTS: texts}
        feed = {name: given[name] for name in self._inputs}
        if TEXTS not in feed:
            return _output(self._session, feed)
        return np.concatenate(
            [
                _output(self._session, {name: rows[at] for name, rows in feed.items()})
                for at in batches(len(texts))
            ]
        )


class MatrixGraph:
    """The same without its encoder (`tabular.category_encoder.detached`)."""

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        """`threads` is how many one run may use."""
        self._session = _session(model, threads)
        names = [declared.name for declared in self._session.get_inputs()]
        self._inputs = [name for name in names if name != TEXTS]
        self.reads_texts = TEXTS in names

    def run(self, matrix: NDArray[np.float32], texts: NDArray[np.object_] = NO_TEXTS) -> NDArray[np.float32]:
        """As `Graph.run`, of a matrix as `tabular.matrix.Read` has it, with its texts."""
        if not self.reads_texts:
            return _output(self._session, {self._inputs[0]: matrix})
        return np.concatenate([self._run(matrix[at], texts) for at in batches(len(matrix))])

    def _run(self, matrix: NDArray[np.float32], texts: NDArray[np.object_]) -> NDArray[np.float32]:
        base, places = np.split(matrix, [-texts.shape[1]], axis=1)
        feed: dict[str, NDArray[Any]] = {TEXTS: texts[places.astype(np.int64), np.arange(texts.shape[1])]}
        feed |= dict.fromkeys(self._inputs, np.ascontiguousarray(base))
        return _output(self._session, feed)


def batches(rows: int) -> Iterator[slice]:
    """So many rows, some at a time: onnxruntime holds each of them as long as their longest text."""
    return (slice(begin, begin + TEXT_ROWS) for begin in range(0, max(rows, 1), TEXT_ROWS))


def _session(model: bytes, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _output(session: ort.InferenceSession, feed: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    output: NDArray[np.float32] = session.run([OUTPUT], feed)[0]
    return output[:, 0] if output.shape[1] == 1 else output
