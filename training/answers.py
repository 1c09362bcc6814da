"""Answers of the model server, one JSON object a row, as `contract.serving` says.

Numbers carry seven significant digits, which is what 32 bits hold.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.reasons import RowReason
from contract.serving import PREDICTION, PROBABILITY, REJECTED, probability_column
from training.rows import Fault

MODEL_FAILED = {
    "code": RowReason.MODEL_FAILED,
    "column": "",
    "message": "the model failed on this row",
}


class AnswerWriter:
    """Writes predictions as text. A template a class is made once, so that a row is one formatting."""

    def __init__(self, problem: str, classes: Sequence[str]) -> None:
        self._problem = problem
        numbers = [PROBABILITY] if problem == "binary" else list(map(probability_column, classes))
        self._templates = [_template(label, numbers) for label in classes]

    def write(self, output: NDArray[np.float32]) -> list[str]:
        """An answer for each row of a graph's output: probabilities [n, classes] or values [n]."""
        if self._problem == "regression":
            return [_REGRESSION % value for value in output.tolist()]
        if self._problem == "binary":
            negative, positive = self._templates
            return [(positive if p >= 0.5 else negative) % p for p in output[:, 1].tolist()]
        chosen = output.argmax(axis=1).tolist()
        return [self._templates[k] % tuple(row) for k, row in zip(chosen, output.tolist(), strict=True)]


def rejection(reasons: Sequence[Any]) -> str:
    """The answer for a row that was not scored."""
    return json.dumps({REJECTED: reasons})


def reason(fault: Fault) -> dict[str, str]:
    """One fault as the answer tells it."""
    return {"code": fault.code, "column": fault.column, "message": fault.message}


def _template(label: str, numbers: Sequence[str]) -> str:
    fields = [f"{_quoted(name)}: %.7g" for name in numbers]
    return "{" + ", ".join([f"{_quoted(PREDICTION)}: {_quoted(label)}", *fields]) + "}"


def _quoted(text: str) -> str:
    return json.dumps(text).replace("%", "%%")


_REGRESSION = f"{{{_quoted(PREDICTION)}: %.7g}}"
