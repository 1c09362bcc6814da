"""The derived columns of one model: learned from training rows, made by onnxruntime."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from contract.schema import Contract
from tabular.matrix import with_places
from tabular.onnx_session import OUTPUT, TEXTS, MatrixGraph
from tabular.samples import Samples
from training.features import custom, dates, tfidf
from training.features.custom import Step
from training.features.onnx_nodes import Fragment, assemble

BASE = "base"
"""The tensor of numbers and codes [n, numbers + categories], from which and from texts all is derived."""


@dataclass(frozen=True, eq=False)
class Derived:
    """The columns after the numbers and codes in a model's matrix, kind by kind.

    `base_width` is how many numbers and codes there are.
    """

    base_width: int
    dates: Fragment | None = None
    words: Fragment | None = None
    own: tuple[Fragment, ...] = ()

    @property
    def width(self) -> int:
        """The number of the matrix's columns."""
        return self.base_width + sum(len(fragment.names) for fragment in self.fragments)

    @property
    def fragments(self) -> list[Fragment]:
        return [fragment for fragment in (self.dates, self.words, *self.own) if fragment]

    def nodes(self, output: str) -> list[onnx.NodeProto]:
        """Nodes from `BASE` and `TEXTS` to `output`: the numbers and codes, and what is derived."""
        parts = [BASE] * (self.base_width > 0) + [fragment.output for fragment in self.fragments]
        nodes = [node for fragment in self.fragments for node in fragment.nodes]
        return [*nodes, helper.make_node("Concat", parts, [output], axis=1)]

    @property
    def initializers(self) -> list[onnx.TensorProto]:
        return [tensor for fragment in self.fragments for tensor in fragment.initializers]

    @property
    def domains(self) -> set[str]:
        return {domain for fragment in self.fragments for domain in fragment.domains}

    def matrix(self, base: NDArray[np.float32], texts: NDArray[np.object_]) -> NDArray[np.float32]:
        """The estimator's matrix, of numbers and codes `base` [n, base_width] and `texts` [n, t]."""
        if not self.fragments:
            return base
        if not self._graph.reads_texts:
            return self._graph.run(base)
        return self._graph.run(with_places(base, texts.shape[1]), texts)

    @cached_property
    def _graph(self) -> MatrixGraph:
        nodes = self.nodes(OUTPUT)
        used = {name for node in nodes for name in node.input}
        inputs = [
            helper.make_tensor_value_info(name, kind, [None, None])
            for name, kind in ((BASE, TensorProto.FLOAT), (TEXTS, TensorProto.STRING))
            if name in used
        ]
        output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, None])
        return MatrixGraph(assemble(nodes, inputs, output, self.initializers, self.domains))


def learn(
    contract: Contract,
    columns: object,
    samples: Samples,
    base: NDArray[np.float32],
    target: NDArray[np.float64],
) -> Derived:
    """Fit what a model derives to its training rows; `target` [n] in codes.

    `columns` is what a model's own code is told of those of `base`.

    Raises:
        ModelCodeError: the model's own steps cannot be built, fitted or exported.
    """
    own = tuple(_own(custom.build(contract, columns), samples, base, target))
    return Derived(base.shape[1], _dates(contract, samples, base), _words(contract, samples, target), own)


def date_parts(
    contract: Contract, base: NDArray[np.float32], texts: NDArray[np.object_]
) -> NDArray[np.float32]:
    """All parts of the contract's dates [n, parts], of rows as `Derived.matrix` takes them."""
    width = base.shape[1]
    return Derived(width, dates.parts(BASE, _datetimes(contract))).matrix(base, texts)[:, width:]


def _datetimes(contract: Contract) -> list[tuple[int, str]]:
    return [(i, feature.name) for i, feature in enumerate(contract.numeric) if feature.type == "datetime"]


def _dates(contract: Contract, samples: Samples, base: NDArray[np.float32]) -> Fragment | None:
    """The parts of the contract's dates that are not the same in every row."""
    datetimes = _datetimes(contract)
    if not datetimes:
        return None
    every = date_parts(contract, base, samples.texts)
    varied = np.flatnonzero(every.min(axis=0) < every.max(axis=0)).tolist()
    return dates.parts(BASE, datetimes, varied) if varied else None


def _own(
    unfitted: Iterable[Step], samples: Samples, base: NDArray[np.float32], target: NDArray[np.float64]
) -> Iterator[Fragment]:
    width = base.shape[1]
    for step in unfitted:
        expected = custom.fit(step, base, samples.texts, target)
        fragment = custom.fragment(step, expected.shape[1], BASE)
        rows = len(expected)
        try:
            matrix = Derived(width, own=(fragment,)).matrix(base[:rows], samples.texts[:rows])
        except Exception as error:  # onnxruntime has classes of its own for what it refuses
            raise custom.cannot_be_exported(step, error) from error
        custom.check(step, expected, matrix[:, width:])
        yield fragment


def _words(contract: Contract, samples: Samples, target: NDArray[np.float64]) -> Fragment | None:
    if not contract.textual:
        return None
    learned = tfidf.learn(samples, target, contract)
    fragment = tfidf.weights(TEXTS, [(f.name, v) for f, v in zip(contract.textual, learned, strict=True)])
    return fragment if fragment.names else None
