"""Training tables: the files of a folder, read in chunks of bounded size, as one table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.reasons import RowReason
from contract.schema import BOOLEANS, Contract, Feature, FeatureType
from tabular.rows import Block, Fault, RowReader
from tabular.samples import Samples
from tabular.sources import Part, parts
from tabular.values import MISSING

_COPY_NAME = re.compile(r"[0-9a-f]{8}-(?=.)")


class Chunk(NamedTuple):
    """Some rows of one file. `places` has the line (in Parquet the row) of each row of the blocks."""

    places: list[int]
    features: Block
    target: Block
    ragged: list[Fault]
    """Rows with more or fewer fields than the header: in no block; `row` is their line."""
    unlabelled: NDArray[np.bool_]
    """Rows [n] without a target: there is nothing to learn from them, whatever else they hold."""
    time: Block | None = None
    """The contract's time, where it has one that is no feature."""

    @property
    def faults(self) -> list[Fault]:
        """What was refused in the rows of the blocks that have a target."""
        blocks = (self.features, self.target, *([self.time] if self.time else ()))
        return [fault for block in blocks for fault in block.faults if not self.unlabelled[fault.row]]

    @property
    def faulty(self) -> NDArray[np.bool_]:
        """Which rows [n] have a value that was refused."""
        found = np.zeros(len(self.places), bool)
        found[[fault.row for fault in self.faults]] = True
        return found


def files(folder: Path) -> list[Path]:
    """The dataset's files, by name."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def uploaded_names(paths: Sequence[Path]) -> dict[Path, str]:
    """What people call each file: its name without what keeps pinned copies apart, if that is unique."""
    short = {path: _COPY_NAME.sub("", path.name, count=1) for path in paths}
    times = Counter(short.values())
    return {path: name if times[name] == 1 else path.name for path, name in short.items()}


def target_feature(contract: Contract) -> Feature:
    """The target as a column to read: a number to regress, a category otherwise."""
    kind: FeatureType = "number" if contract.problem == "regression" else "category"
    return Feature(name=contract.target.name, type=kind, missing=contract.target.missing)


def target_values(contract: Contract, block: Block) -> NDArray[np.generic]:
    """A target block's one column: float32 [rows] of a regression, str [rows] otherwise.

    Booleans are spelled as the positive value is, whatever the file's format makes of them.
    """
    if contract.problem == "regression":
        return block.numbers[:, 0]
    labels = block.categories[:, 0]
    positive = contract.target.positive or ""
    if positive.lower() not in BOOLEANS:
        return labels
    styles: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.capitalize)
    style = next((style for style in styles if style(positive) == positive), str.lower)
    spelled = {label: style(label) for label in set(labels.tolist()) if label.lower() in BOOLEANS}
    return np.array([spelled.get(label, label) for label in labels.tolist()], object)


def times(contract: Contract, chunk: Chunk) -> NDArray[np.float32] | None:
    """When each row [n] came to be, in hours since 1970, NaN where unknown; None where no time is named."""
    if contract.time is None:
        return None
    if chunk.time is not None:
        return chunk.time.numbers[:, 0]
    return chunk.features.numbers[:, [f.name for f in contract.numeric].index(contract.time.name)]


def sound(contract: Contract, chunk: Chunk) -> Samples:
    """The rows that have a target and keep the contract."""
    given = chunk.features
    target = target_values(contract, chunk.target)
    when = times(contract, chunk) if contract.newest_held_out else None
    rows = Samples(given.numbers, given.categories, target, given.texts, when)
    left_out = chunk.faulty | chunk.unlabelled
    return rows.where(~left_out) if left_out.any() else rows


def read(path: Path, contract: Contract) -> Iterator[Chunk]:
    """A file's rows as the contract's features and target, in the order of the file.

    Raises:
        Unscorable: the file is no table with the contract's columns and at least one row.
    """
    columns = [contract.features, (target_feature(contract),)]
    if contract.time and contract.time.name not in contract.feature_names:
        columns.append((Feature(name=contract.time.name, type="datetime"),))
    readers: list[RowReader] = []
    for part in parts(path, [feature.name for features in columns for feature in features]):
        readers = readers or [RowReader(features, part.header) for features in columns]
        yield _chunk(part, *readers)


def _chunk(part: Part, *readers: RowReader) -> Chunk:
    width = readers[0].width
    even = [i for i, fields in enumerate(part.rows) if len(fields) == width]
    if len(even) == len(part.rows):
        rows, places, ragged = part.rows, part.places, []
    else:
        rows, places = [part.rows[i] for i in even], [part.places[i] for i in even]
        ragged = [
            _fault(place, fields, width)
            for place, fields in zip(part.places, part.rows, strict=True)
            if len(fields) != width
        ]
    features, target, *time = (_nested_too(each.read(rows), each, part.nested) for each in readers)
    return Chunk(places, features, target, ragged, _unlabelled(target), *time)


def _unlabelled(target: Block) -> NDArray[np.bool_]:
    """Which rows [n] of a target's block have none, rather than one that was refused."""
    refused = [fault.row for fault in target.faults]
    missing: NDArray[np.bool_] = (
        np.isnan(target.numbers[:, 0]) if target.numbers.shape[1] else target.categories[:, 0] == MISSING
    )
    missing[refused] = False
    return missing


def _nested_too(block: Block, reader: RowReader, nested: Sequence[Fault]) -> Block:
    """A block in which the nested cells of its columns are refused too, and for nothing else."""
    mine = {(fault.row, fault.column): fault for fault in nested if fault.column in reader.names}
    if not mine:
        return block
    others = [fault for fault in block.faults if (fault.row, fault.column) not in mine]
    return block._replace(faults=[*others, *mine.values()])


def _fault(place: int, fields: list[str], width: int) -> Fault:
    """The fault of a row whose fields do not match the header's."""
    message = f"{len(fields)} fields under a header of {width}"
    return Fault(place, "", RowReason.WRONG_FIELD_COUNT, message, ",".join(fields))
