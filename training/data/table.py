"""Training tables: the files of a folder, read in chunks of bounded size, as one table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.reasons import RowReason
from contract.schema import BOOLEANS, Contract, Feature, FeatureType
from tabular.rows import Refusal, RowValues, TableRead, ValueReader, wrong_field_count
from tabular.samples import Samples
from tabular.sources import FilePart, parts
from tabular.values import MISSING, without_fraction

_COPY_NAME = re.compile(r"[0-9a-f]{8}-(?=.)")


class TrainingChunk(NamedTuple):
    """Some rows of one file. `places` has the line (in Parquet the row) of each row."""

    places: list[int]
    features: RowValues
    """Of the contract; the refusals are those of all columns."""
    target: NDArray[Any]
    """float64 [n] of a regression, str [n] otherwise."""
    ragged: list[Refusal]
    """Rows with more or fewer fields than the header, which are not among the others; `row` is their line."""
    unlabelled: NDArray[np.bool_]
    """Rows [n] without a target: there is nothing to learn from them, whatever else they hold."""
    times: NDArray[np.float64] | None = None
    """When each row [n] came to be, in hours since 1970, NaN where unknown; None where no time is named."""

    @property
    def refusals(self) -> list[Refusal]:
        """What was refused in the rows that have a target."""
        return [refusal for refusal in self.features.refusals if not self.unlabelled[refusal.row]]

    @property
    def refused(self) -> NDArray[np.bool_]:
        """The rows [n] that have a target and a value that was refused."""
        rows = np.zeros(len(self.places), bool)
        rows[[refusal.row for refusal in self.refusals]] = True
        return rows


def files(folder: Path) -> list[Path]:
    """Return the dataset's files, by name."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def uploaded_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return people's name of each file: without what keeps pinned copies apart, if that is unique."""
    short = {path: _COPY_NAME.sub("", path.name, count=1) for path in paths}
    times = Counter(short.values())
    return {path: name if times[name] == 1 else path.name for path, name in short.items()}


def sound(contract: Contract, chunk: TrainingChunk) -> Samples:
    """Return the rows that have a target and keep the contract."""
    numbers, categories, texts, _ = chunk.features
    target = chunk.target.astype(np.float32) if contract.problem == "regression" else chunk.target
    times = chunk.times if contract.newest_held_out else None
    rows = Samples(
        numbers.astype(np.float32),
        categories,
        target,
        texts,
        None if times is None else times.astype(np.float32),
    )
    left_out = chunk.refused | chunk.unlabelled
    return rows.where(~left_out) if left_out.any() else rows


def read(path: Path, contract: Contract) -> Iterator[TrainingChunk]:
    """Yield a file's rows as the contract's features and target, in the order of the file.

    Raises:
        Unscorable: the file is no table with the contract's columns and at least one row.
    """
    columns = _columns(contract)
    reader: ValueReader | None = None
    for part in parts(path, [column.name for column in columns]):
        reader = reader or ValueReader(columns, part.table.header)
        yield _chunk(contract, part, reader.read_table(part.table.rows, part.table.nested))


def _columns(contract: Contract) -> list[Feature]:
    """Return all columns to read: the features, the target, and the time if it is no feature."""
    kind: FeatureType = "number" if contract.problem == "regression" else "category"
    columns = [
        *contract.features,
        Feature(name=contract.target.name, type=kind, missing=contract.target.missing),
    ]
    if contract.time and contract.time.name not in contract.feature_names:
        columns.append(Feature(name=contract.time.name, type="datetime"))
    return columns


def _chunk(contract: Contract, part: FilePart, read: TableRead[RowValues]) -> TrainingChunk:
    numbers, categories, texts, refusals = read.rows
    numeric, categorical = len(contract.numeric), len(contract.categorical)
    features = RowValues(numbers[:, :numeric], categories[:, :categorical], texts, refusals)
    places, ragged = part.places, []
    if read.ragged:
        places = [place for i, place in enumerate(places) if i not in read.ragged]
        ragged = [_ragged(part.places[i], part.table.rows[i], read.width) for i in read.ragged]
    target: NDArray[Any]
    if contract.problem == "regression":
        target = numbers[:, numeric]
        unlabelled = np.isnan(target)
    else:
        target = _labels(contract, categories[:, categorical])
        unlabelled = target == MISSING
    # What was refused is left missing, too.
    unlabelled[[refusal.row for refusal in refusals if refusal.column == contract.target.name]] = False
    return TrainingChunk(places, features, target, ragged, unlabelled, _times(contract, numbers))


def _labels(contract: Contract, labels: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return labels, booleans and whole numbers spelled as the positive value is, whatever the file has."""
    positive = contract.target.positive or ""
    if positive.lower() in BOOLEANS:
        styles: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.capitalize)
        style = next((style for style in styles if style(positive) == positive), str.lower)
        spelled = {label: style(label) for label in set(labels.tolist()) if label.lower() in BOOLEANS}
    elif fraction := positive.removeprefix(without_fraction(positive)):
        whole = {label for label in set(labels.tolist()) if without_fraction(label + fraction) == label}
        spelled = {label: label + fraction for label in whole}
    else:
        return labels
    return np.array([spelled.get(label, label) for label in labels.tolist()], object)


def _times(contract: Contract, numbers: NDArray[np.float64]) -> NDArray[np.float64] | None:
    if contract.time is None:
        return None
    names = [feature.name for feature in contract.numeric]
    # If it is no feature, it is the last column that was read.
    return numbers[:, names.index(contract.time.name) if contract.time.name in names else -1]


def _ragged(place: int, fields: Sequence[str], width: int) -> Refusal:
    """Return the refusal of a row whose fields do not match the header's."""
    return Refusal(
        place, "", RowReason.WRONG_FIELD_COUNT, wrong_field_count(len(fields), width), ",".join(fields)
    )
