"""A fitted model as one ONNX graph, and the proof that the graph predicts the same.

Inputs: `numbers` float [n, k], `categories` string [n, m] and `texts` string [n, t], each as
`tabular.values` reads it; one that the contract does not have is left out. Output: `output`,
float: probabilities [n, classes], or values [n, 1] of a regression. The same model gives the
same bytes.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline

from container.errors import ModelCodeError, PlatformError
from contract.schema import Contract
from tabular.category_encoder import coded, detached, encoder
from tabular.onnx_session import CATEGORIES, NUMBERS, OUTPUT, TEXTS, Graph, MatrixGraph
from tabular.samples import Samples
from training.features.derived import BASE, Derived
from training.features.onnx_nodes import OPSETS, assemble
from training.model.fit import FittedModel
from training.model.tree_converters import CONVERTERS

TOLERANCE = 1e-5
"""Largest difference allowed between ONNX and scikit-learn: of a probability, or of a
regression's value as a share of the largest one. Leaves and coefficients are summed in 32
bits by the one and in 64 by the other, which explains about 1e-6."""

log = logging.getLogger(__name__)


def to_onnx(model: FittedModel, contract: Contract) -> bytes:
    """The model as a serialised ONNX graph.

    Raises:
        ModelCodeError: skl2onnx cannot export the estimator.
    """
    try:
        matrix = FloatTensorType([None, model.derived.width])
        estimator = _converted(_exportable(model.estimator), "matrix", matrix)
    except Exception as error:
        log.exception("export")
        named = contract.training.estimator
        raise ModelCodeError(
            f'{named!r} cannot be exported to ONNX: use an estimator that can be, see "Estimators" in '
            f"models/README.md. {type(error).__name__}: {error}"
        ) from error
    vocabularies = [] if model.encoder is None else [list(values) for values in model.encoder.categories_]
    return _assembled(contract, vocabularies, model.derived, estimator, max(1, len(model.classes)))


def check_parity(model: FittedModel, graph: Graph, samples: Samples) -> float:
    """The largest difference between both on some samples, in the unit of `TOLERANCE`.

    Raises:
        ModelCodeError: it is larger than `TOLERANCE`.
    """
    expected = model.predict(samples)
    exported = graph.run(samples.numbers, samples.categories, samples.texts)
    scale = 1.0 if model.classes else max(1e-30, float(np.abs(expected).max()))
    difference = float(np.abs(exported - expected).max()) / scale
    if not difference <= TOLERANCE:
        raise ModelCodeError(
            f"ONNX and scikit-learn differ by {difference:.2g} on the holdout; {TOLERANCE:g} is allowed: "
            "the exporter gets this estimator or one of its parameters wrong. Use another one, see "
            '"Estimators" in models/README.md'
        )
    return difference


def check_detached(exported: bytes, samples: Samples) -> None:
    """Hold the graph without its encoder, which is what a server runs, against the whole one.

    Raises:
        PlatformError: they do not give the same to the bit.
    """
    vocabularies, model = detached(exported)
    served = MatrixGraph(model).run(coded(samples, vocabularies), samples.texts)
    if not np.array_equal(served, Graph(exported).run(samples.numbers, samples.categories, samples.texts)):
        raise PlatformError("the graph predicts otherwise without its encoder")


def _converted(model: Any, input_name: str, input_type: Any) -> onnx.ModelProto:
    options = {"zipmap": False} if hasattr(model, "predict_proba") else None
    with warnings.catch_warnings():
        # skl2onnx itself writes a leaf's flag as a boolean, which protobuf takes until 7.34.
        warnings.filterwarnings("ignore", message=".*Expected an int, got a boolean")
        return convert_sklearn(
            model,
            name=input_name,
            initial_types=[(input_name, input_type)],
            target_opset=OPSETS,
            options=options,
            custom_conversion_functions=CONVERTERS,
        )


def _exportable(estimator: Any) -> Any:
    """A copy whose gradient-boosted trees mean the same in 32 bits.

    A tree asks x <= threshold with a 64-bit threshold. For a 32-bit x that is the same
    question as with the largest 32-bit number not above it, whereas the nearest one, to
    which ONNX would round, may lie above it and send a row the other way. skl2onnx also
    trips over numpy's booleans and over the field's present name, `num_threshold`.
    """
    estimator = copy.deepcopy(estimator)
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if isinstance(last, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        for predictor in (predictor for trees in last._predictors for predictor in trees):
            nodes = predictor.nodes
            names = nodes.dtype.names
            thresholds = _floor32(nodes["num_threshold"]).tolist()
            predictor.nodes = [
                {
                    **dict(zip(names, node.tolist(), strict=True)),
                    "value": node["value"],
                    "threshold": threshold,
                    "missing_go_to_left": int(node["missing_go_to_left"]),
                }
                for node, threshold in zip(nodes, thresholds, strict=True)
            ]
    return estimator


def _floor32(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    nearest = values.astype(np.float32)
    return np.where(nearest > values, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _assembled(
    contract: Contract,
    vocabularies: Sequence[Sequence[str]],
    derived: Derived,
    estimator: onnx.ModelProto,
    width: int,
) -> bytes:
    """One graph: encode the categories, set them beside the numbers, derive, estimate."""
    graph = onnx.compose.add_prefix_graph(estimator.graph, "estimate_")
    matrix = graph.input[0].name
    encoded = encoder(vocabularies, BASE if derived.fragments else matrix, numbers=bool(contract.numeric))
    between = derived.nodes(matrix) if derived.fragments else []
    # A classifier's outputs are label and probabilities; the server makes its label from the latter.
    last = helper.make_node("Identity", [graph.output[-1].name], [OUTPUT], name=OUTPUT)
    inputs = [
        helper.make_tensor_value_info(name, kind, [None, len(features)])
        for name, kind, features in (
            (NUMBERS, TensorProto.FLOAT, contract.numeric),
            (CATEGORIES, TensorProto.STRING, contract.categorical),
            (TEXTS, TensorProto.STRING, contract.textual),
        )
        if features
    ]
    output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, width])
    return assemble(
        [*encoded, *between, *graph.node, last],
        inputs,
        output,
        [*derived.initializers, *graph.initializer],
        derived.domains,
    )
