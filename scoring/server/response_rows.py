"""The response to each row, as text: a prediction, or why there is none.

Numbers carry seven significant digits, which is what 32 bits hold. A template a class is
made once, so that a row is one formatting.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from contract.reasons import RowReason
from contract.serving import PREDICTION, REJECTED, UNSEEN, probability_columns
from contract.threshold import DEFAULT
from tabular.rows import Refusal, wrong_field_count

Reason = Mapping[str, str]

MODEL_FAILED: Reason = {
    "code": RowReason.MODEL_FAILED,
    "column": "",
    "message": "the model failed on this row",
}
NUMBER = "%.7g"


def reason(refusal: Refusal) -> Reason:
    """Return one refusal as a response has it."""
    return {"code": refusal.code, "column": refusal.column, "message": refusal.message}


def ragged(fields: int, width: int) -> Reason:
    """Return the reason why a row of so many fields is not scored."""
    return {"code": RowReason.WRONG_FIELD_COUNT, "column": "", "message": wrong_field_count(fields, width)}


class ResponseWriter(ABC):
    """Writes responses of one model."""

    def __init__(self, problem: str, classes: Sequence[str], threshold: float = DEFAULT) -> None:
        """`threshold` is the probability from which on a binary problem's row is positive."""
        self._problem = problem
        self._threshold = threshold
        self.numbers = probability_columns(problem, classes)
        """The columns in which a scored row has numbers next to its prediction."""
        self._value = self._template(None)
        self._templates = [self._template(label) for label in classes]

    def write(self, output: NDArray[np.float32]) -> list[str]:
        """Return the response to each row of a graph's output: probabilities [n, classes] or values [n]."""
        if self._problem == "regression":
            return [self._value % value for value in output.tolist()]
        if self._problem == "binary":
            negative, positive = self._templates
            least = self._threshold
            return [(positive if p >= least else negative) % p for p in output[:, 1].tolist()]
        chosen = output.argmax(axis=1).tolist()
        return [self._templates[k] % tuple(row) for k, row in zip(chosen, output.tolist(), strict=True)]

    @abstractmethod
    def with_unseen(self, response: str, columns: Sequence[str]) -> str:
        """Return the same with the columns in which a category is that the model does not know."""

    @abstractmethod
    def rejection(self, reasons: Sequence[Reason]) -> str:
        """Return the response to a row that was not scored."""

    @abstractmethod
    def _template(self, label: str | None) -> str:
        """Return a template of a response for `%`. Without a label, the prediction is the first number."""


class JsonResponses(ResponseWriter):
    """Of each row a JSON object, as `contract.serving` says."""

    def rejection(self, reasons: Sequence[Reason]) -> str:
        return json.dumps({**dict.fromkeys((PREDICTION, *self.numbers)), REJECTED: reasons})

    def with_unseen(self, response: str, columns: Sequence[str]) -> str:
        return f'{response[:-1]}, "{UNSEEN}": {json.dumps(columns)}}}'

    def _template(self, label: str | None) -> str:
        prediction = NUMBER if label is None else escaped(json.dumps(label))
        fields = [(PREDICTION, prediction), *((name, NUMBER) for name in self.numbers)]
        return "{" + ", ".join(f"{escaped(json.dumps(name))}: {value}" for name, value in fields) + "}"


def escaped(text: str) -> str:
    """A text as `%` leaves it."""
    return text.replace("%", "%%")
