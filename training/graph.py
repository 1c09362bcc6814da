"""An exported model, ready to run."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

NUMBERS = "numbers"
CATEGORIES = "categories"
OUTPUT = "output"

_ERRORS_ONLY = 3


class Graph:
    """An ONNX graph as `training.export` makes it, in one onnxruntime session."""

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        """`threads` is how many one run may use."""
        self._session = _session(model, threads)
        self._inputs = {declared.name for declared in self._session.get_inputs()}

    def run(self, numbers: NDArray[np.float32], categories: NDArray[np.object_]) -> NDArray[np.float32]:
        """Probabilities [n, classes], or values [n] of a regression, for n rows.

        Raises:
            Exception: whatever onnxruntime raises where the graph fails.
        """
        feed = {NUMBERS: numbers, CATEGORIES: categories}
        return _output(self._session, {name: feed[name] for name in self._inputs})


class MatrixGraph:
    """The same without its encoder (`training.encoding.detached`)."""

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        """`threads` is how many one run may use."""
        self._session = _session(model, threads)
        self._input = self._session.get_inputs()[0].name

    def run(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `Graph.run`, of numbers and codes [n, numbers + categories]."""
        return _output(self._session, {self._input: matrix})


def _session(model: bytes, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _output(session: ort.InferenceSession, feed: dict[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = session.run([OUTPUT], feed)[0]
    return found[:, 0] if found.shape[1] == 1 else found
