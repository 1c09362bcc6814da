"""A sealed artifact, ready for requests."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contract import artifact, serving
from contract.schema import Contract
from scoring.server.response_rows import (
    MODEL_FAILED,
    JsonResponses,
    Reason,
    ResponseWriter,
    ragged,
    reason,
)
from tabular.category_encoder import detached
from tabular.cells import STEP, split
from tabular.json_values import JsonDecoder
from tabular.matrix import CodedRows, MatrixReader, with_places
from tabular.onnx_session import MatrixGraph
from tabular.requests import parse_csv, plain_csv, unquoted
from tabular.rows import MANY_ROWS, TableRead
from tabular.values import MISSING, UNSEEN

REMEMBERED_HEADERS = 64
REMEMBERED_COLUMNS = 5_000
"""So many headers, of no more columns, are read only once: tables have few, and a client may send any."""


class Predictor:
    """Turns bodies of requests into responses. Safe to use from several threads."""

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
        self.threshold = artifact.threshold(facts)
        self._json = JsonResponses(self.contract.problem, self.classes, self.threshold)
        self._vocabularies, model = detached((folder / artifact.MODEL).read_bytes())
        self._graph = MatrixGraph(model)
        self._categories = [feature.name for feature in self.contract.categorical]
        numbers = len(self.contract.numeric)
        self._codes = slice(numbers, numbers + len(self._categories))
        self._json_decoder = JsonDecoder(self.contract.features)
        self._readers: dict[Hashable, MatrixReader] = {}
        self._warm_up()

    def respond(self, content_type: str, body: bytes) -> str:
        """Return the response to each row, in order, one a line.

        Raises:
            Unscorable: the body is not this model's table.
        """
        responses = self.responses(self.read(content_type, body), self._json)
        responses.append("")
        return "\n".join(responses)

    def responses(
        self,
        table: TableRead[CodedRows],
        writer: ResponseWriter,
        ragged_rows: Mapping[int, Reason] | None = None,
    ) -> list[str]:
        """The writer's answer to each row, in order. `ragged_rows` has reasons for those of another width."""
        (matrix, refusals, texts), uneven, width = table
        if refusals:
            reasons: dict[int, list[Reason]] = {}
            for refusal in refusals:
                reasons.setdefault(refusal.row, []).append(reason(refusal))
            responses = self._with_rejections(reasons, matrix, texts, writer)
        else:
            responses = self._scored(matrix, texts, writer)
        for i, fields in uneven.items():
            why = ragged_rows[i] if ragged_rows else ragged(fields, width)
            responses.insert(i, writer.rejection([why]))
        return responses

    def reader(self, header: tuple[str, ...]) -> MatrixReader:
        """Return the reader of rows under a header; it is remembered, unless it is huge.

        Raises:
            Unscorable: the header is not of this model's table.
        """
        reader = self._readers.get(header)
        if reader is None:
            reader = MatrixReader(self.contract.features, header, self._vocabularies)
            self._remember(header, reader)
        return reader

    def _remember(self, header: Hashable, reader: MatrixReader) -> None:
        if reader.width <= REMEMBERED_COLUMNS:
            if len(self._readers) >= REMEMBERED_HEADERS:
                self._readers.clear()
            self._readers[header] = reader

    def read(self, content_type: str, body: bytes) -> TableRead[CodedRows]:
        """Return the body's rows as they were read.

        Raises:
            Unscorable: the body is not this model's table.
        """
        if content_type == serving.CSV:
            return self._read_csv(body)
        table = self._json_decoder.decode(content_type, body)
        reader = self.reader(table.header)
        return TableRead(reader.read_values(table.columns, table.nested), {}, reader.width)

    def _read_csv(self, body: bytes) -> TableRead[CodedRows]:
        """Return the rows of CSV. A plain header that was seen before is known by its bytes."""
        plain = plain_csv(body)
        reader = self._readers.get(plain.header) if plain else None
        if plain is None or reader is None:
            table = parse_csv(body)
            reader = self.reader(table.header)
            if plain and tuple(plain.header.decode("utf-8-sig").split(",")) == table.header:
                self._remember(plain.header, reader)
            return reader.read_table(table.rows)
        if reader.width > 1 and plain.lines.count(b"\n") >= MANY_ROWS:
            cells = split(plain.lines, reader.width)
            return TableRead(reader.read_cells(cells.texts, STEP), cells.ragged, reader.width)
        return reader.read_table(unquoted(plain.text))

    def _with_rejections(
        self,
        reasons: Mapping[int, Sequence[Reason]],
        matrix: NDArray[np.float32],
        texts: NDArray[np.object_],
        writer: ResponseWriter,
    ) -> list[str]:
        sound = np.ones(len(matrix), bool)
        sound[list(reasons)] = False
        scored = iter(self._scored(matrix[sound], texts, writer))
        return [writer.rejection(reasons[i]) if i in reasons else next(scored) for i in range(len(matrix))]

    def _scored(
        self, matrix: NDArray[np.float32], texts: NDArray[np.object_], writer: ResponseWriter
    ) -> list[str]:
        """Return the responses to sound rows. Where the graph fails, halves find the rows it fails on."""
        rows = len(matrix)
        if not rows:
            return []
        try:
            output = self._graph.run(matrix, texts)
        except Exception:
            if rows == 1:
                return [writer.rejection([MODEL_FAILED])]
            half = rows // 2
            first, second = matrix[:half], matrix[half:]
            return [*self._scored(first, texts, writer), *self._scored(second, texts, writer)]
        responses = writer.write(output)
        finite, failed = np.isfinite(output), set[int]()
        if np.count_nonzero(finite) != finite.size:
            failed.update(np.flatnonzero(~finite.reshape(rows, -1).all(axis=1)).tolist())
        unseen = matrix[:, self._codes] == UNSEEN
        if np.count_nonzero(unseen):
            for i in set(np.flatnonzero(unseen.any(axis=1)).tolist()) - failed:
                columns = [
                    name for name, new in zip(self._categories, unseen[i].tolist(), strict=True) if new
                ]
                responses[i] = writer.with_unseen(responses[i], columns)
        for i in failed:
            responses[i] = writer.rejection([MODEL_FAILED])
        return responses

    def _warm_up(self) -> None:
        """The first run allocates: better now than in the first request."""
        texts = len(self.contract.textual)
        missing = np.full((1, len(self.contract.features) - texts), np.nan, np.float32)
        self._graph.run(with_places(missing, texts), np.full((1, texts), MISSING, object))
