"""Nodes of an ONNX graph, written down one after the other, and the model they become."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSETS = {"": 21, "ai.onnx.ml": 3}
IR_VERSION = 10
_OTHER_DOMAIN_VERSION = 1

Operand = str | int | NDArray[Any] | np.generic


class Fragment(NamedTuple):
    """Nodes that make columns: `output` is float [n, len(names)].

    `domains` are those of operators that are neither ONNX's nor ONNX-ML's.
    """

    nodes: list[onnx.NodeProto]
    initializers: list[onnx.TensorProto]
    output: str
    names: tuple[str, ...]
    domains: frozenset[str] = frozenset()


class Writer:
    """Collects nodes. `prefix` keeps their names apart from those of others."""

    def __init__(self, prefix: str) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._prefix = prefix

    def __call__(self, operator: str, *operands: Operand, outputs: int = 1, **attributes: Any) -> str:
        """Add a node; the name of its first output. What is no name is a constant."""
        inputs = [one if isinstance(one, str) else self._constant(np.asarray(one)) for one in operands]
        names = [f"{self._prefix}_{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0]

    def fragment(self, output: str, names: Sequence[str]) -> Fragment:
        return Fragment(self._nodes, self._initializers, output, tuple(names))

    def _constant(self, value: NDArray[Any]) -> str:
        name = f"{self._prefix}_constant_{len(self._initializers)}"
        self._initializers.append(numpy_helper.from_array(value, name))
        return name


def assemble(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    output: onnx.ValueInfoProto,
    initializers: Sequence[onnx.TensorProto],
    domains: Iterable[str] = (),
) -> bytes:
    """A checked model; of equal parts, equal bytes."""
    versions = {**OPSETS, **dict.fromkeys(sorted(domains), _OTHER_DOMAIN_VERSION)}
    model = helper.make_model(
        helper.make_graph(nodes, "millrace", inputs, [output], initializers),
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in versions.items()],
        ir_version=IR_VERSION,
        producer_name="millrace",
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
