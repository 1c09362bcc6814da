"""Parts of large uploads, answered with the rows of their results; see `contract.parts`.

A part is scored a piece at a time.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import StringIO
from typing import NamedTuple

from contract import serving
from contract.parts import Part, PartCounts
from contract.reasons import FileReason, Unscorable
from scoring.server import csv_pieces
from scoring.server.predictor import Predictor
from scoring.server.result_rows import CsvRows, JsonLinesRows, ResultRows
from tabular import blocks
from tabular.formats import jsonlines
from tabular.formats.records import csv_record
from tabular.matrix import CodedRows
from tabular.rows import TableRead

PIECE_BYTES = 1024 * 1024
GZIP_LEVEL = 6
_GZIP = zlib.MAX_WBITS | 16


class Scored(NamedTuple):
    """Text of a result, and how many of its rows begin in it."""

    text: bytes | memoryview
    rows: int


class PartScorer:
    """Answers parts with one model. Safe to use from several threads."""

    def __init__(self, predictor: Predictor, model_version: str, piece_bytes: int = PIECE_BYTES) -> None:
        contract = predictor.contract
        model = (contract.problem, predictor.classes, model_version, predictor.threshold)
        self._predictor = predictor
        self._piece_bytes = piece_bytes
        self._header = jsonlines.header(contract.feature_names)
        self._json_lines = JsonLinesRows(*model)
        self._csv = lru_cache(maxsize=8)(lambda delimiter: CsvRows(*model, delimiter=delimiter))

    def respond(self, body: bytes) -> bytes:
        """The rows of the result, and their counts behind them.

        Raises:
            Unscorable: the body is no part, or its rows are none of this model's table.
        """
        try:
            part, rows = Part.parse(body)
        except ValueError as error:
            message = f"The request is no part of an upload: {error}."
            raise Unscorable(code=FileReason.NOT_JSON, message=message, line=1) from error
        writer = self._csv(part.delimiter) if part.format == "csv" else self._json_lines
        counts, texts, count = writer.counting(), list[bytes | memoryview](), 0
        scored = (
            self._csv_rows(part, rows, counts)
            if isinstance(counts, CsvRows)
            else self._json_lines_rows(part, rows, counts)
        )
        for text, number in scored:
            count += number
            texts.append(text)
        end = PartCounts(rows=count, rejected=counts.rejected, unseen=dict(counts.unseen)).to_bytes()
        return b"".join([*_stored(part, texts), end])

    def _csv_rows(self, part: Part, rows: bytes, writer: CsvRows) -> Iterator[Scored]:
        columns = next(csv.reader(StringIO(part.header, newline=""), delimiter=part.delimiter))
        if part.opening is not None:
            header = csv_record([*columns, *writer.columns], part.delimiter)
            yield Scored(part.opening.encode() + header + b"\n", 0)
        reader, line = self._predictor.reader(tuple(columns)), part.line
        for piece in blocks.pieces(rows, part.delimiter, self._piece_bytes):
            found = csv_pieces.read(piece, part.delimiter, line, reader)
            if ends := self._predictor.responses(found.table, writer, found.ragged):
                yield Scored(found.joined(ends), len(ends))
                yield Scored(b"\n", 0)
            line += blocks.line_ends(piece)

    def _json_lines_rows(self, part: Part, rows: bytes, writer: ResultRows) -> Iterator[Scored]:
        if part.opening is not None:
            yield Scored(part.opening.encode(), 0)
        for piece in _line_pieces(rows, self._piece_bytes):
            # A key that no object of this piece has is not missing in the upload.
            table = self._predictor.read(serving.JSON_LINES, self._header + piece)
            ends = self._predictor.responses(_without_first(table), writer)
            lines = (line[:-1].rstrip() for line in piece.decode().split("\n"))
            text = "".join(
                f"{own}{'' if own == '{' else ', '}{end}\n" for own, end in zip(lines, ends, strict=False)
            )
            yield Scored(text.encode(), len(ends))


def _without_first(table: TableRead[CodedRows]) -> TableRead[CodedRows]:
    rows = table.rows
    refusals = [refusal._replace(row=refusal.row - 1) for refusal in rows.refusals if refusal.row]
    return table._replace(rows=CodedRows(rows.matrix[1:], refusals, rows.texts))


def _line_pieces(rows: bytes, size: int) -> Iterator[bytes]:
    begin = 0
    while begin < len(rows):
        end = rows.rfind(b"\n", begin, begin + size) + 1 or rows.find(b"\n", begin) + 1 or len(rows)
        yield rows[begin:end]
        begin = end


def _stored(part: Part, texts: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Text in UTF-8 as it stands in the result."""
    pack = zlib.compressobj(GZIP_LEVEL, wbits=_GZIP) if part.compressed else None
    for text in texts:
        data = text if part.codec == "utf-8" else bytes(text).decode().encode(part.codec)
        yield pack.compress(data) if pack else data
    if pack:
        yield pack.flush()
