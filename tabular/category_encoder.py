"""Categories as codes, inside a model's graph and outside of it.

The graph takes the texts of categories, so that whoever has it needs nothing else. Handing
texts to onnxruntime costs more than most models do: a server therefore takes the encoder
off the graph it was given, reads texts as codes itself, and runs the rest. `train` proves
that both give the same, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from contract.artifact import ArtifactError
from tabular.matrix import with_places
from tabular.onnx_session import CATEGORIES, NUMBERS, TEXTS
from tabular.samples import Samples
from tabular.values import UNSEEN, without_fraction

MATRIX = "matrix"
"""Name of the node that sets numbers and codes side by side; the estimator begins behind it."""

_AXIS = 1
_OPERATOR = "LabelEncoder"


class Detached(NamedTuple):
    """A graph without its encoder: it takes one float matrix, the numbers and then the codes, and any texts.

    `vocabularies` has the code of each text, by category; any other text is `UNSEEN`.
    """

    vocabularies: list[Mapping[str, float]]
    model: bytes


def encoder(vocabularies: Sequence[Sequence[str]], matrix: str, *, numbers: bool) -> list[onnx.NodeProto]:
    """Make the nodes from a graph's inputs to `matrix`; a text's code is its place in its vocabulary.

    There are none of a model that has neither numbers nor categories.
    """
    if not vocabularies and not numbers:
        return []
    texts = [f"text_{i}" for i in range(len(vocabularies))]
    codes = [f"code_{i}" for i in range(len(vocabularies))]
    nodes = []
    if vocabularies:
        nodes.append(helper.make_node("Split", [CATEGORIES], texts, axis=_AXIS, num_outputs=len(texts)))
    for text, code, vocabulary in zip(texts, codes, vocabularies, strict=True):
        node = helper.make_node(
            _OPERATOR,
            [text],
            [code],
            domain="ai.onnx.ml",
            keys_strings=list(vocabulary),
            values_floats=[float(place) for place in range(len(vocabulary))],
            default_float=float(UNSEEN),
        )
        nodes.append(node)
    parts = [NUMBERS, *codes] if numbers else codes
    return [*nodes, helper.make_node("Concat", parts, [matrix], name=MATRIX, axis=_AXIS)]


def detached(model: bytes) -> Detached:
    """Take a graph apart that was made with `encoder`.

    Raises:
        ArtifactError: it was not made so.
    """
    graph = onnx.load_from_string(model)
    nodes = list(graph.graph.node)
    place = next((i for i, node in enumerate(nodes) if node.name == MATRIX), None)
    if place is None and [declared.name for declared in graph.graph.input] == [TEXTS]:
        return Detached([], model)
    if place is None:
        raise ArtifactError(f"the graph has no node named {MATRIX!r}: train again")
    vocabularies = [_vocabulary(node) for node in nodes[:place] if node.op_type == _OPERATOR]
    matrix = helper.make_tensor_value_info(nodes[place].output[0], TensorProto.FLOAT, [None, None])
    texts = [declared for declared in graph.graph.input if declared.name == TEXTS]
    del graph.graph.node[: place + 1]
    del graph.graph.input[:]
    graph.graph.input.extend([matrix, *texts])
    return Detached(vocabularies, graph.SerializeToString())


def coded(samples: Samples, vocabularies: Sequence[Mapping[str, float]]) -> NDArray[np.float32]:
    """Return samples as the matrix that a graph without its encoder takes besides their texts."""
    texts = zip(samples.categories.T, vocabularies, strict=True)
    codes = [[known.get(text, UNSEEN) for text in column] for column, known in texts]
    matrix = np.column_stack([samples.numbers, *codes]).astype(np.float32)
    return with_places(matrix, samples.texts.shape[1])


def _vocabulary(node: onnx.NodeProto) -> Mapping[str, float]:
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    keys = [key.decode() for key in attributes["keys_strings"]]
    codes = dict(zip(keys, attributes["values_floats"], strict=True))
    # Models that were trained when 1.0 was another category than 1 know it as such.
    return {**{without_fraction(key): code for key, code in codes.items()}, **codes}
