"""A sealed artifact, ready to answer requests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract import artifact
from contract.reasons import RowReason
from contract.schema import Contract
from training.answers import MODEL_FAILED, AnswerWriter, reason, rejection
from training.graph import Graph
from training.requests import parse
from training.rows import Fault, RowReader

REMEMBERED_HEADERS = 64


class Predictor:
    """Turns bodies of requests into answers. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            ArtifactError: the folder's files are not as they were sealed.
            ContractError: the contract is of another format.
        """
        self.digests = artifact.verify(folder)
        self.contract = Contract.from_json((folder / artifact.CONTRACT).read_bytes())
        facts = json.loads((folder / artifact.FACTS).read_bytes())
        self.classes: list[str] = facts["classes"]
        self._writer = AnswerWriter(self.contract.problem, self.classes)
        self._graph = Graph((folder / artifact.MODEL).read_bytes())
        self._readers: dict[tuple[str, ...], RowReader] = {}
        self._warm_up()

    def answer(self, content_type: str, body: bytes) -> str:
        """An answer for each row, in order, one a line.

        Raises:
            Unscorable: the body is not this model's table.
        """
        table = parse(content_type, body, self.contract.feature_names)
        reader = self._reader(table.header)
        width = reader.width
        ragged = {i: len(row) for i, row in enumerate(table.rows) if len(row) != width}
        rows = [row for row in table.rows if len(row) == width] if ragged else table.rows
        block = reader.read(rows)
        if block.faults:
            answers = self._answers_beside(block.faults, block.numbers, block.categories)
        else:
            answers = self._scored(block.numbers, block.categories)
        for i, fields in ragged.items():
            answers.insert(i, _wrong_field_count(fields, width))
        answers.append("")
        return "\n".join(answers)

    def _answers_beside(
        self, faults: Iterable[Fault], numbers: NDArray[np.float32], categories: NDArray[np.object_]
    ) -> list[str]:
        reasons: dict[int, list[dict[str, str]]] = {}
        for fault in faults:
            reasons.setdefault(fault.row, []).append(reason(fault))
        sound = np.ones(len(numbers), bool)
        sound[list(reasons)] = False
        scored = iter(self._scored(numbers[sound], categories[sound]))
        return [rejection(reasons[i]) if i in reasons else next(scored) for i in range(len(numbers))]

    def _scored(self, numbers: NDArray[np.float32], categories: NDArray[np.object_]) -> list[str]:
        """Answers for sound rows. Where the graph fails, halves find the rows it fails on."""
        rows = len(numbers)
        if not rows:
            return []
        try:
            output = self._graph.run(numbers, categories)
        except Exception:
            if rows == 1:
                return [rejection([MODEL_FAILED])]
            half = rows // 2
            return [
                *self._scored(numbers[:half], categories[:half]),
                *self._scored(numbers[half:], categories[half:]),
            ]
        answers = self._writer.write(output)
        finite = np.isfinite(output)
        if not finite.all():
            for i in np.flatnonzero(~finite.reshape(rows, -1).all(axis=1)).tolist():
                answers[i] = rejection([MODEL_FAILED])
        return answers

    def _reader(self, header: tuple[str, ...]) -> RowReader:
        reader = self._readers.get(header)
        if reader is None:
            reader = RowReader(self.contract.features, header)
            if len(self._readers) >= REMEMBERED_HEADERS:
                self._readers.clear()
            self._readers[header] = reader
        return reader

    def _warm_up(self) -> None:
        """The first run allocates: better now than in the first request."""
        numbers = np.full((1, len(self.contract.numeric)), np.nan, np.float32)
        self._graph.run(numbers, np.full((1, len(self.contract.categorical)), "", object))


def _wrong_field_count(fields: int, width: int) -> str:
    message = f"{fields} fields under a header of {width}"
    return rejection([{"code": RowReason.WRONG_FIELD_COUNT, "column": "", "message": message}])
