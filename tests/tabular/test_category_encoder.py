"""A graph with its encoder, and without: what a server runs predicts what was tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from container.errors import PlatformError
from contract.artifact import ArtifactError
from contract.schema import Problem, Training
from tabular.category_encoder import detached, encoder
from tests.fixtures.tables import ESTIMATORS, of_problem, samples_of
from training.model.fit import fit
from training.model.onnx_export import check_detached, to_onnx


@pytest.fixture(scope="module")
def exported() -> bytes:
    contract, samples = samples_of("binary")
    return to_onnx(fit(samples, contract), contract)


def test_vocabularies_are_those_that_were_learned() -> None:
    contract, samples = samples_of("binary")
    model = fit(samples, contract)
    assert model.encoder is not None
    vocabularies, _ = detached(to_onnx(model, contract))
    assert [list(known) for known in vocabularies] == [list(found) for found in model.encoder.categories_]
    assert all(list(known.values()) == list(range(len(known))) for known in vocabularies)


def test_a_model_that_learned_whole_numbers_with_a_fraction_knows_them() -> None:
    """As models did that were trained when 1.0 was another category than 1."""
    node = encoder([["1.0", "2.0", "x"], ["3", "3.0"]], "m", numbers=False)
    graph = onnx.helper.make_graph(node, "g", [], [onnx.helper.make_tensor_value_info("m", 1, [None, 2])])
    first, second = detached(onnx.helper.make_model(graph).SerializeToString()).vocabularies
    assert (first["1"], first["1.0"], first["2"], second["3"]) == (0, 0, 1, 0)


def test_the_rest_of_the_graph_is_no_text(exported: bytes) -> None:
    graph = onnx.load_from_string(detached(exported).model).graph
    (matrix,) = graph.input
    assert matrix.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert all(node.op_type != "LabelEncoder" for node in graph.node)


@pytest.mark.parametrize("problem", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_it_predicts_the_same_to_the_bit_on_any_rows(problem: Problem, estimator: str) -> None:
    contract, samples = samples_of(problem)
    contract = replace(contract, training=Training(estimator=of_problem(estimator, problem)))
    samples.categories[::7] = "never seen"
    samples.numbers[::5] = np.nan
    check_detached(to_onnx(fit(samples, contract), contract), samples)


def test_a_graph_that_predicts_otherwise_is_found(exported: bytes) -> None:
    altered = onnx.load_from_string(exported)
    node = next(node for node in altered.graph.node if node.op_type == "LabelEncoder")
    # Numbers an encoder adds to a text's code are lost when it is taken off.
    added = onnx.helper.make_tensor("one", onnx.TensorProto.FLOAT, [], [1.0])
    altered.graph.initializer.append(added)
    code, node.output[0] = node.output[0], "before"
    place = list(altered.graph.node).index(node)
    altered.graph.node.insert(place + 1, onnx.helper.make_node("Add", ["before", "one"], [code]))
    with pytest.raises(PlatformError, match="without its encoder"):
        check_detached(altered.SerializeToString(), samples_of("binary")[1])


def test_a_graph_of_another_make_is_refused(exported: bytes) -> None:
    other = onnx.load_from_string(exported)
    for node in other.graph.node:
        node.name = ""
    with pytest.raises(ArtifactError, match="train again"):
        detached(other.SerializeToString())
