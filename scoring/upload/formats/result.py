"""What every result has in common: its rows are counted, and their predictions have the same columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence

from scoring.upload.kit.errors import BadResponse, ModelChanged
from scoring.upload.kit.responses import RowResponse


class ResultWriter(ABC):
    """Writes a result in the upload's order. The first response decides which columns predictions have.

    A model server of an earlier version names them with a scored row only.
    """

    def __init__(self) -> None:
        self.scored = 0
        self.rejected = 0
        self.unseen: Counter[str] = Counter()
        self._columns: tuple[str, ...] = ()
        self._version = ""

    @property
    def rows(self) -> int:
        """How many rows were given."""
        return self.scored + self.rejected

    def write(self, own: bytes, answer: RowResponse, model_version: str) -> None:
        """Add a row; `own` is what the upload had in it, as it was sent to the model.

        Raises:
            ModelChanged: another model version gives other columns than the one before.
            BadResponse: the same version does.
        """
        if answer.rejected:
            self.rejected += 1
        else:
            self.scored += 1
            self.unseen.update(answer.unseen)
        if answer.cells:
            self._check_columns(tuple(answer.cells), model_version)
        if answer.rejected:
            self._write_rejected(own, answer.rejected, model_version)
        else:
            self._write_scored(own, [answer.cells[name] for name in self._columns], model_version)

    def _check_columns(self, columns: tuple[str, ...], model_version: str) -> None:
        if not self._columns:
            self._columns, self._version = columns, model_version
            self._begin(columns)
        elif set(columns) != set(self._columns):
            raise self._misfit(model_version)

    def finish(self) -> None:  # noqa: B027 - a format may have nothing left to write
        """Write what still waits. Call it once, after the last row."""

    def _begin(self, columns: Sequence[str]) -> None:  # noqa: B027 - a format may have no header
        """Predictions have these columns."""

    @abstractmethod
    def _write_scored(self, own: bytes, cells: Sequence[str], model_version: str) -> None: ...

    @abstractmethod
    def _write_rejected(self, own: bytes, rejected: str, model_version: str) -> None: ...

    def _misfit(self, model_version: str) -> BadResponse | ModelChanged:
        if model_version == self._version:
            return BadResponse("the model server's answers to one file have different columns")
        return ModelChanged(
            f"{model_version} went live while {self._version} was scoring, with other columns"
        )
