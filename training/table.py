"""Training tables: CSV files of a folder, read in chunks of bounded size, as one table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.reasons import FileReason, RowReason, Unscorable
from contract.schema import Contract, Feature, FeatureType
from training.rows import Block, Fault, RowReader

CHUNK_ROWS = 20_000

csv.field_size_limit(2**31 - 1)


class Line(NamedTuple):
    """One record: the line it begins on (the header's is 1) and its fields."""

    number: int
    fields: list[str]


class Chunk(NamedTuple):
    """Some records of one file. `lines` has the line of each row of both blocks."""

    lines: list[int]
    features: Block
    target: Block
    ragged: list[Fault]
    """Records with more or fewer fields than the header: in no block; `row` is their line."""


def files(folder: Path) -> list[Path]:
    """The dataset's files, by name."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def target_feature(contract: Contract) -> Feature:
    """The target as a column to read: a number to regress, a category otherwise; always required."""
    kind: FeatureType = "number" if contract.problem == "regression" else "category"
    return Feature(name=contract.target.name, type=kind, required=True)


def target_values(contract: Contract, block: Block) -> NDArray[np.generic]:
    """A target block's one column: float32 [rows] of a regression, str [rows] otherwise."""
    return block.numbers[:, 0] if contract.problem == "regression" else block.categories[:, 0]


def read(path: Path, contract: Contract) -> Iterator[Chunk]:
    """A file's rows as the contract's features and target, in the order of the file.

    Raises:
        Unscorable: the file is not a CSV with the contract's columns and at least one row.
    """
    if path.suffix.lower() != ".csv":
        raise Unscorable(
            code=FileReason.UNSUPPORTED_FORMAT, message="Training data is CSV, in files named .csv."
        )
    lines = records(path)
    header = next(lines, None)
    if header is None:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file is empty.")
    features = RowReader(contract.features, header.fields)
    target = RowReader((target_feature(contract),), header.fields)
    found = False
    while chunk := list(islice(lines, CHUNK_ROWS)):
        found = True
        even = [line for line in chunk if len(line.fields) == features.width]
        rows = [line.fields for line in even]
        yield Chunk(
            lines=[line.number for line in even],
            features=features.read(rows),
            target=target.read(rows),
            ragged=[_fault(line, features.width) for line in chunk if len(line.fields) != features.width],
        )
    if not found:
        raise Unscorable(code=FileReason.HEADER_ONLY, message="The file has a header and no rows.", line=1)


def records(path: Path) -> Iterator[Line]:
    """The records of a CSV file, the header first; blank lines are left out.

    Raises:
        Unscorable: it is not UTF-8, or its quotes do not close.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        begins = 1
        try:
            for fields in reader:
                if fields:
                    yield Line(begins, fields)
                begins = reader.line_num + 1
        except UnicodeDecodeError as error:
            raise Unscorable(
                code=FileReason.UNDECODABLE,
                message=f"The byte {error.object[error.start]:#04x} is not UTF-8.",
                line=begins,
            ) from error
        except csv.Error as error:
            raise Unscorable(
                code=FileReason.NOT_CSV, message=f"The row is not CSV: {error}.", line=begins
            ) from error


def _fault(line: Line, width: int) -> Fault:
    """The fault of a record whose fields do not match the header's."""
    message = f"{len(line.fields)} fields under a header of {width}"
    return Fault(line.number, "", RowReason.WRONG_FIELD_COUNT, message, ",".join(line.fields))
