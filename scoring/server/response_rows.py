"""What is said of each row, as text: a prediction, or why there is none.

Numbers carry seven significant digits, which is what 32 bits hold. A template a class is
made once, so that a row is one formatting.
"""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from contract.reasons import RowReason, rejected_text
from contract.serving import PREDICTION, PROBABILITY, REJECTED, UNSEEN, probability_column
from contract.threshold import DEFAULT
from tabular.rows import Refusal, wrong_field_count

Reason = Mapping[str, str]

MODEL_FAILED: Reason = {
    "code": RowReason.MODEL_FAILED,
    "column": "",
    "message": "the model failed on this row",
}
_NUMBER = "%.7g"


def reason(refusal: Refusal) -> Reason:
    """Return one refusal as a response has it."""
    return {"code": refusal.code, "column": refusal.column, "message": refusal.message}


def ragged(fields: int, width: int) -> Reason:
    """Return the reason why a row of so many fields is not scored."""
    return {"code": RowReason.WRONG_FIELD_COUNT, "column": "", "message": wrong_field_count(fields, width)}


class ResponseWriter(ABC):
    """Writes answers of one model."""

    def __init__(self, problem: str, classes: Sequence[str], threshold: float = DEFAULT) -> None:
        """`threshold` is the probability from which on a binary problem's row is positive."""
        self._problem = problem
        self._threshold = threshold
        names = {"binary": [PROBABILITY], "multiclass": list(map(probability_column, classes))}
        self.numbers = names.get(problem, [])
        """Of which columns a scored row has numbers beside its prediction."""
        self._value = self._template(None)
        self._templates = [self._template(label) for label in classes]

    def write(self, output: NDArray[np.float32]) -> list[str]:
        """An answer for each row of a graph's output: probabilities [n, classes] or values [n]."""
        if self._problem == "regression":
            return [self._value % value for value in output.tolist()]
        if self._problem == "binary":
            negative, positive = self._templates
            least = self._threshold
            return [(positive if p >= least else negative) % p for p in output[:, 1].tolist()]
        chosen = output.argmax(axis=1).tolist()
        return [self._templates[k] % tuple(row) for k, row in zip(chosen, output.tolist(), strict=True)]

    def with_unseen(self, answer: str, columns: Sequence[str]) -> str:  # noqa: ARG002 - a result has no place for it
        """The same, saying also in which columns a category is that the model does not know."""
        return answer

    @abstractmethod
    def rejection(self, reasons: Sequence[Reason]) -> str:
        """The answer for a row that was not scored."""

    @abstractmethod
    def _template(self, label: str | None) -> str:
        """What `%` makes an answer of, given its numbers. Without a label, the prediction is the number."""


class JsonResponses(ResponseWriter):
    """Of each row a JSON object, as `contract.serving` says."""

    def rejection(self, reasons: Sequence[Reason]) -> str:
        return json.dumps({REJECTED: reasons})

    def with_unseen(self, answer: str, columns: Sequence[str]) -> str:
        return f'{answer[:-1]}, "{UNSEEN}": {json.dumps(columns)}}}'

    def _template(self, label: str | None) -> str:
        prediction = _NUMBER if label is None else _escaped(json.dumps(label))
        fields = [(PREDICTION, prediction), *((name, _NUMBER) for name in self.numbers)]
        return "{" + ", ".join(f"{_escaped(json.dumps(name))}: {value}" for name, value in fields) + "}"


class CsvResponses(ResponseWriter):
    """Of each row what follows its own columns in a result: the end of its line, from the comma on."""

    def __init__(
        self, problem: str, classes: Sequence[str], model_version: str, threshold: float = DEFAULT
    ) -> None:
        self._model_version = model_version
        super().__init__(problem, classes, threshold)

    def rejection(self, reasons: Sequence[Reason]) -> str:
        return csv_line(["", "", *[""] * len(self.numbers), rejected_text(reasons), self._model_version])

    def _template(self, label: str | None) -> str:
        prediction = _NUMBER if label is None else _escaped(label)
        return csv_line(["", prediction, *[_NUMBER] * len(self.numbers), "", _escaped(self._model_version)])


def csv_line(fields: Sequence[str]) -> str:
    """One record, without the end of its line."""
    line = StringIO()
    # With "\r\n" as its terminator the writer quotes a lone "\r" too.
    csv.writer(line, lineterminator="\r\n").writerow(fields)
    return line.getvalue()[:-2]


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
