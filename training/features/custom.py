"""A model's own `features.py`: scikit-learn transformers, each fitted and exported by itself.

They are fitted in 64 bits and run in 32 by onnxruntime, in training as in serving. How far
both are apart is checked here, so that a transformer whose export means something else is
found before a model is fitted on it.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from scipy import sparse
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.feature_extraction.text import CountVectorizer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from container.errors import ModelCodeError
from contract.schema import Contract
from tabular.onnx_session import TEXTS
from training.features.onnx_nodes import OPSETS, Fragment

TOLERANCE = 1e-4
"""Largest difference between ONNX and scikit-learn, as a share of a column's largest value, or of 1."""
CHECKED_ROWS = 5_000
_HELP = 'see "Your own features" in models/README.md'

log = logging.getLogger(__name__)


class Step(NamedTuple):
    """One transformer, and the places of its columns: in the base matrix, or of one text in the texts."""

    name: str
    transformer: Any
    places: tuple[int, ...]
    of_text: bool

    def given(self, base: NDArray[np.float32], texts: NDArray[np.object_]) -> NDArray[Any]:
        """Return the transformer's input: float64 [n, columns], or str [n]."""
        return texts[:, self.places[0]] if self.of_text else base[:, self.places].astype(np.float64)


def build(contract: Contract, columns: Any) -> list[Step]:
    """The unfitted steps that a contract names; none if it names none.

    Raises:
        ModelCodeError: the function is not there, fails, or returns something else.
    """
    named = contract.training.features
    if named is None:
        return []
    module, _, function = named.partition(":")
    try:
        builder = getattr(import_module(f"models.{contract.model}.{module}"), function)
        given = builder(columns, problem=contract.problem, seed=contract.training.seed)
        return list(_steps(contract, given))
    except Exception as error:
        log.exception("features %s", named)
        raise ModelCodeError(
            f"features {named!r} cannot be built: {type(error).__name__}: {error}"
        ) from error


def fit(
    step: Step, base: NDArray[np.float32], texts: NDArray[np.object_], target: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit a step; what scikit-learn makes [m, columns] of the first `CHECKED_ROWS` rows.

    Raises:
        ModelCodeError: it fails, or makes no rows of numbers.
    """
    rows = step.given(base, texts)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            step.transformer.fit(rows, target)
        made = step.transformer.transform(rows[:CHECKED_ROWS])
        dense = made.toarray() if sparse.issparse(made) else made
        return np.asarray(dense, np.float64).reshape(len(rows[:CHECKED_ROWS]), -1)
    except Exception as error:
        log.exception("fitting features %s", step.name)
        raise ModelCodeError(
            f"features: {step.name!r} fails to fit: {type(error).__name__}: {error}"
        ) from error


def fragment(step: Step, width: int, base: str) -> Fragment:
    """A fitted step as nodes that make its `width` columns of `base` or of the texts.

    Raises:
        ModelCodeError: skl2onnx cannot export it.
    """
    prefix = f"own_{step.name}_"
    try:
        model = _converted(step)
    except Exception as error:
        raise cannot_be_exported(step, error) from error
    graph = onnx.compose.add_prefix_graph(model.graph, prefix)
    places = numpy_helper.from_array(np.array(step.places), f"{prefix}places")
    chosen = [TEXTS if step.of_text else base, places.name]
    gather = helper.make_node("Gather", chosen, [graph.input[0].name], axis=1)
    names = (step.name,) if width == 1 else tuple(f"{step.name} {i}" for i in range(width))
    domains = frozenset({node.domain for node in graph.node} - {"", *OPSETS})
    return Fragment([gather, *graph.node], [places, *graph.initializer], graph.output[0].name, names, domains)


def cannot_be_exported(step: Step, error: Exception) -> ModelCodeError:
    """Return the error for a step that skl2onnx or onnxruntime refuses; to be called where it is handled."""
    log.exception("exporting features %s", step.name)
    return ModelCodeError(
        f"features: {step.name!r} cannot be exported to ONNX, so that a server could not make its "
        f"columns: use a transformer that can be, {_HELP}. {type(error).__name__}: {error}"
    )


def check(step: Step, expected: NDArray[np.float64], exported: NDArray[np.float32]) -> None:
    """Hold what ONNX made [m, columns] against what scikit-learn did.

    Raises:
        ModelCodeError: they differ by more than `TOLERANCE`.
    """
    if exported.shape != expected.shape:
        widths = f"makes {expected.shape[1]} columns, and in ONNX {exported.shape[1]}"
        raise ModelCodeError(f"features: {step.name!r} {widths}: {_HELP}")
    with np.errstate(invalid="ignore"):
        scale = np.maximum(1.0, np.nanmax(np.abs(expected), axis=0, initial=0.0))
        apart = np.nan_to_num(np.abs(exported - expected) / scale, nan=np.inf)
    apart[np.isnan(exported) & np.isnan(expected)] = 0.0
    if apart.max(initial=0.0) > TOLERANCE:
        row = int(np.argmax(apart.max(axis=1) > TOLERANCE))
        raise ModelCodeError(
            f"features: {step.name!r} is not the same in ONNX, so that a server would make other columns "
            f"than training: use a transformer that exports faithfully, {_HELP}. "
            f"The first row that differs is {row}, by {apart[row].max():.2g}; {TOLERANCE:g} is allowed"
        )


def _steps(contract: Contract, given: Any) -> Iterator[Step]:
    floats = [feature.name for feature in (*contract.numeric, *contract.categorical)]
    texts = [feature.name for feature in contract.textual]
    seen: set[str] = set()
    for name, transformer, wanted in given:
        if not name.isidentifier() or name in seen:
            raise ValueError(f"{name!r}: each step has a name of its own, of letters, digits and underscores")
        seen.add(name)
        if isinstance(wanted, str) and wanted in texts:
            yield Step(name, transformer, (texts.index(wanted),), of_text=True)
            continue
        listed: Sequence[str] = [wanted] if isinstance(wanted, str) else wanted
        if unknown := [one for one in listed if one not in floats]:
            only = "a text alone, as its name and not in a list" if unknown[0] in texts else "features"
            raise ValueError(f"{name!r} asks for {unknown[0]!r}: a step takes {only}")
        yield Step(name, transformer, tuple(floats.index(one) for one in listed), of_text=False)


def _converted(step: Step) -> onnx.ModelProto:
    kind = StringTensorType([None, 1]) if step.of_text else FloatTensorType([None, len(step.places)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of skl2onnx's own use of others; what it means is checked
        transformer = copy.deepcopy(step.transformer)
        return convert_sklearn(
            transformer,
            initial_types=[("rows", kind)],
            target_opset=OPSETS,
            options=_as_words(transformer),
        )


def _as_words(transformer: Any) -> dict[int, dict[str, Any]] | None:
    """Make vectorizers take texts as `tabular.values.words` leaves them, in training as in ONNX.

    There is no upper case, for which ONNX would ask the system for a language, and words are told
    apart at blanks alone, where ONNX knows no pattern for letters of every script.
    """
    within = [transformer, *transformer.get_params().values()]
    vectorizers = [one for one in within if isinstance(one, CountVectorizer)]
    for one in vectorizers:
        one.lowercase = False
    return {id(one): {"separators": [" "]} for one in vectorizers if one.analyzer == "word"} or None
