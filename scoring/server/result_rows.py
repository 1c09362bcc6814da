"""The rows of a large upload's result, as text: what follows a row's own columns, to the end of its line."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from copy import copy
from typing import Self

from contract.reasons import rejected_text
from contract.serving import MODEL_VERSION, PREDICTION, REJECTED
from contract.threshold import DEFAULT
from scoring.server.response_rows import NUMBER, Reason, ResponseWriter, escaped
from tabular.formats.records import csv_record


class ResultRows(ResponseWriter):
    """Writes the ends of rows, and counts: `rejected` rows, and by column those of an `unseen` category."""

    def __init__(
        self, problem: str, classes: Sequence[str], model_version: str, threshold: float = DEFAULT
    ) -> None:
        self._model_version = model_version
        self.rejected = 0
        self.unseen: Counter[str] = Counter()
        super().__init__(problem, classes, threshold)

    def counting(self) -> Self:
        """A writer of the same that has counted nothing yet."""
        fresh = copy(self)
        fresh.rejected, fresh.unseen = 0, Counter()
        return fresh

    def with_unseen(self, answer: str, columns: Sequence[str]) -> str:
        self.unseen.update(columns)
        return answer

    def rejection(self, reasons: Sequence[Reason]) -> str:
        self.rejected += 1
        return self._rejection(rejected_text(reasons))

    @abstractmethod
    def _rejection(self, text: str) -> str:
        """The end of a row that was not scored."""


class CsvRows(ResultRows):
    """Of CSV, from the delimiter behind the row's own fields on."""

    def __init__(
        self,
        problem: str,
        classes: Sequence[str],
        model_version: str,
        threshold: float = DEFAULT,
        *,
        delimiter: str = ",",
    ) -> None:
        self._delimiter = delimiter
        super().__init__(problem, classes, model_version, threshold)
        self.columns = [PREDICTION, *self.numbers, REJECTED, MODEL_VERSION]

    def _rejection(self, text: str) -> str:
        return self._end(["", *[""] * len(self.numbers), text, self._model_version])

    def _template(self, label: str | None) -> str:
        prediction = NUMBER if label is None else escaped(label)
        return self._end([prediction, *[NUMBER] * len(self.numbers), "", escaped(self._model_version)])

    def _end(self, fields: Sequence[str]) -> str:
        return csv_record(["", *fields], self._delimiter).decode()


class JsonLinesRows(ResultRows):
    """Of JSON Lines, the members behind the object's own, with its closing brace."""

    def _rejection(self, text: str) -> str:
        nothing = dict.fromkeys((PREDICTION, *self.numbers), "null")
        return self._end({**nothing, REJECTED: _json(text)}, _json(self._model_version))

    def _template(self, label: str | None) -> str:
        prediction = NUMBER if label is None else escaped(_json(label))
        numbers = {escaped(name): NUMBER for name in self.numbers}
        return self._end(
            {PREDICTION: prediction, **numbers, REJECTED: "null"}, escaped(_json(self._model_version))
        )

    def _end(self, members: dict[str, str], model_version: str) -> str:
        members = {**members, MODEL_VERSION: model_version}
        return ", ".join(f"{_json(name)}: {value}" for name, value in members.items()) + "}"


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
