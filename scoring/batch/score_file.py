"""A whole CSV file, scored: its rows in order, each followed by its prediction or why there is none.

Memory does not grow with the file: blocks of rows are scored by several threads at once, a
few ahead of the one that is written. Lines without quotes are never taken apart into
Python's objects, and come out byte by byte as they went in.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import IO, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.reasons import FileReason, Unscorable
from contract.serving import MODEL_VERSION, PREDICTION, REJECTED, is_result_column
from scoring.server.predictor import Predictor
from scoring.server.response_rows import CsvResponses, csv_line
from tabular import blocks
from tabular.cells import STEP, split
from tabular.matrix import MatrixReader
from tabular.requests import unquoted
from tabular.rows import TableRead

T = TypeVar("T")
U = TypeVar("U")

_REJECTED = ",,"
"""How what follows a row begins where there is no prediction."""


class Counts(NamedTuple):
    """How many rows have a prediction, and how many a reason."""

    scored: int
    rejected: int


class _Scored(NamedTuple):
    """Lines of a result, each after the end of the one before it."""

    text: memoryview
    rows: int
    rejected: int


def score_file(
    predictor: Predictor,
    source: IO[bytes],
    result: IO[bytes],
    *,
    model_version: str,
    threads: int | None = None,
    block_bytes: int = blocks.BLOCK_BYTES,
) -> Counts:
    """Write the result of a file; `threads` is how many score it (as many as there are cores).

    Raises:
        Unscorable: the file is not this model's table. What was written until then is worth nothing.
    """
    header, found = blocks.read(source, block_bytes)
    for name in filter(is_result_column, header):
        message = f"The result adds a column {name!r}, so that the file may not have one."
        raise Unscorable(code=FileReason.RESERVED_COLUMN, message=message, column=name, line=1)
    reader = predictor.reader(tuple(header))
    writer = CsvResponses(predictor.contract.problem, predictor.classes, model_version, predictor.threshold)
    result.write(csv_line([*header, PREDICTION, *writer.numbers, REJECTED, MODEL_VERSION]).encode())
    rows = rejected = 0
    for scored in _in_order(
        partial(_scored, predictor, reader, writer), found, threads or os.cpu_count() or 1
    ):
        result.write(scored.text)
        rows += scored.rows
        rejected += scored.rejected
    if not rows:
        raise Unscorable(code=FileReason.HEADER_ONLY, message="The file has a header and no rows.", line=1)
    result.write(b"\n")
    return Counts(rows - rejected, rejected)


def _scored(
    predictor: Predictor, reader: MatrixReader, writer: CsvResponses, block: blocks.Lines | blocks.Rows
) -> _Scored:
    width = reader.width
    if isinstance(block, bytes) and width > 1:
        cells = split(block, width)
        answers = predictor.answers(
            TableRead(reader.read_cells(cells.texts, STEP), cells.ragged, width), writer
        )
        lines = _lines(block, cells.ragged, width)
    else:
        rows = unquoted(block.decode()) if isinstance(block, bytes) else block
        answers = predictor.answers(reader.read_table(rows), writer)
        lines = pa.array([_line(row, width) for row in rows], pa.string())
    ends = pa.array(answers, pa.string())
    joined = pc.binary_join_element_wise(lines, ends, "")
    rejected = pc.sum(pc.starts_with(ends, _REJECTED)).as_py()
    _, offsets, text = joined.buffers()
    size = np.frombuffer(offsets, np.int32)[len(joined)]
    return _Scored(memoryview(text)[:size], len(joined), rejected)


def _lines(block: bytes, ragged: Iterable[int], width: int) -> pa.StringArray:
    """The lines of a block that are not blank, each with the line feed before it."""
    data = b"\n" + block.removesuffix(b"\n")
    begins = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    offsets = np.append(begins, len(data)).astype(np.int32)
    lines = pa.StringArray.from_buffers(len(begins), pa.py_buffer(offsets), pa.py_buffer(data))
    sizes = np.diff(offsets)
    if sizes.min() == 1:
        lines = lines.filter(pa.array(sizes > 1))
    if ragged:
        texts = lines.to_pylist()
        for i in ragged:
            texts[i] = _line(texts[i][1:].split(","), width)
        lines = pa.array(texts, pa.string())
    return lines


def _line(row: list[str], width: int) -> str:
    """A row as CSV after the end of the line before it; cut or padded to the header's width."""
    return "\n" + csv_line(row[:width] + [""] * (width - len(row)))


def _in_order(work: Callable[[T], U], items: Iterator[T], threads: int) -> Iterator[U]:
    """The work on each item, in order, by some threads at once; one item more than them is at hand."""
    with ThreadPoolExecutor(threads) as pool:
        waiting = deque(pool.submit(work, item) for item in islice(items, threads + 1))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(work, item) for item in islice(items, 1))
            yield done
