"""The result table: the upload's own columns, then what the model said."""

from __future__ import annotations

import csv
import io
from typing import IO

from contract.serving import MODEL_VERSION, PREDICTION, REJECTED
from lambdas.score_upload.answers import RowAnswer
from lambdas.score_upload.faults import BadAnswer, ModelChanged
from lambdas.score_upload.text import csv_line


class ResultWriter:
    """Writes a result in the upload's order.

    The first scored row decides the columns between `prediction` and `rejected`, and so
    the header. Until there is one, rejected rows wait in `held`.
    """

    def __init__(self, columns: list[str], file: IO[bytes], held: IO[bytes]) -> None:
        self.scored = 0
        self.rejected = 0
        self._own = columns
        self._file = file
        self._held = held
        self._added: tuple[str, ...] | None = None
        self._version = ""

    @property
    def rows(self) -> int:
        """How many rows have been written."""
        return self.scored + self.rejected

    def write(self, fields: list[str], answer: RowAnswer, model_version: str) -> None:
        """Add a row.

        Raises:
            ModelChanged: another model version predicts other classes than the rows before.
            BadAnswer: the same version does.
        """
        if answer.rejected:
            self.rejected += 1
            self._write_rejected(fields, answer.rejected, model_version)
            return
        self.scored += 1
        if self._added is None:
            self._open(tuple(answer.cells), model_version)
        elif tuple(answer.cells) != self._added:
            raise self._misfit(model_version)
        self._line([*fields, *answer.cells.values(), "", model_version])

    def finish(self) -> None:
        """Write what still waits. Call it once, after the last row."""
        if self._added is None:
            self._open((PREDICTION,), "")

    def _write_rejected(self, fields: list[str], rejected: str, model_version: str) -> None:
        if self._added is None:
            self._held.write(csv_line([*fields, rejected, model_version]).encode())
        else:
            self._line([*fields, *[""] * len(self._added), rejected, model_version])

    def _open(self, added: tuple[str, ...], model_version: str) -> None:
        self._added, self._version = added, model_version
        self._line([*self._own, *added, REJECTED, MODEL_VERSION])
        self._held.seek(0)
        for *fields, rejected, version in csv.reader(io.TextIOWrapper(self._held, "utf-8", newline="")):
            self._line([*fields, *[""] * len(added), rejected, version])

    def _line(self, cells: list[str]) -> None:
        self._file.write(csv_line(cells).encode())

    def _misfit(self, model_version: str) -> BadAnswer | ModelChanged:
        if model_version == self._version:
            return BadAnswer("the model server's answers to one file have different columns")
        return ModelChanged(
            f"{model_version} went live while {self._version} was scoring, with other columns"
        )
