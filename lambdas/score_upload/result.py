"""The result table: the upload's own columns, then what the model said."""

from __future__ import annotations

import csv
from io import TextIOWrapper
from typing import IO

from contract.serving import MODEL_VERSION, PREDICTION, REJECTED
from lambdas.score_upload.answers import RowAnswer
from lambdas.score_upload.faults import BadAnswer, ModelChanged
from lambdas.score_upload.text import csv_record


class ResultWriter:
    """Writes a result in the upload's order.

    The first scored row decides the columns between the upload's own and `rejected`.
    Until there is one, nothing can be written: rejected rows wait in `held`.
    """

    def __init__(self, columns: list[str], file: IO[bytes], held: IO[bytes]) -> None:
        self.scored = 0
        self.rejected = 0
        self._columns = columns
        self._file = file
        self._held = held
        self._added: list[str] = []
        self._version = ""

    @property
    def rows(self) -> int:
        """How many rows were given."""
        return self.scored + self.rejected

    def write(self, own: bytes, answer: RowAnswer, model_version: str) -> None:
        """Add a row; `own` is what the upload had in it, as CSV.

        Raises:
            ModelChanged: another model version gives other columns than the one before.
            BadAnswer: the same version does.
        """
        if answer.rejected:
            self.rejected += 1
            self._write_rejected(own, answer.rejected, model_version)
            return
        self.scored += 1
        if not self._added:
            self._begin(list(answer.cells), model_version)
        elif answer.cells.keys() != set(self._added):
            raise self._misfit(model_version)
        self._line(own, [*(answer.cells[name] for name in self._added), "", model_version])

    def finish(self) -> None:
        """Write what still waits. Call it once, after the last row."""
        if not self._added:
            self._begin([PREDICTION], "")

    def _begin(self, added: list[str], model_version: str) -> None:
        self._added, self._version = added, model_version
        self._line(csv_record(self._columns), [*added, REJECTED, MODEL_VERSION])
        self._held.seek(0)
        for *fields, rejected, version in csv.reader(TextIOWrapper(self._held, "utf-8", newline="")):
            self._write_rejected(csv_record(fields), rejected, version)

    def _write_rejected(self, own: bytes, rejected: str, model_version: str) -> None:
        if self._added:
            self._line(own, [*[""] * len(self._added), rejected, model_version])
        else:
            self._held.write(b"%b,%b\n" % (own, csv_record([rejected, model_version])))

    def _line(self, own: bytes, cells: list[str]) -> None:
        self._file.write(b"%b,%b\n" % (own, csv_record(cells)))

    def _misfit(self, model_version: str) -> BadAnswer | ModelChanged:
        if model_version == self._version:
            return BadAnswer("the model server's answers to one file have different columns")
        return ModelChanged(
            f"{model_version} went live while {self._version} was scoring, with other columns"
        )
