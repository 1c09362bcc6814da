"""Results of uploads, read as requests to a model version and its predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.schema import Contract
from contract.serving import HIGHEST_PROBABILITY, MODEL_VERSION, REJECTED
from monitoring.baseline.build import columns
from tabular.rows import ValueReader, places_of
from tabular.samples import Samples
from tabular.sources import parts

Column = NDArray[Any]


class Predicted(NamedTuple):
    """Some rows of a result: the columns [n] of those that were predicted, and how many were refused."""

    columns: Mapping[str, Column]
    rows: int
    rejected: int


def versions(path: Path) -> list[str]:
    """The model versions that made a result's rows, in order; those of rejected rows too."""
    versions: dict[str, None] = {}
    for part in parts(path, [MODEL_VERSION]):
        (place,) = places_of(part.table.header, [MODEL_VERSION]).values()
        versions.update(
            dict.fromkeys(row[place] for row in part.table.rows if len(row) == len(part.table.header))
        )
    return [version for version in versions if version]


def predicted(path: Path, version: str, contract: Contract, outputs: Sequence[str]) -> Iterator[Predicted]:
    """The rows of one version, by the columns of its baseline; `outputs` are those of its predictions.

    Raises:
        Unscorable: the file is not what that version would have made.
    """
    given = [name for name in outputs if name != HIGHEST_PROBABILITY]
    names = [*contract.feature_names, *given, REJECTED, MODEL_VERSION]
    reader: ValueReader | None = None
    for _, (header, rows, _) in parts(path, names):
        reader = reader or ValueReader(contract.features, header)
        places = places_of(header, [*given, REJECTED, MODEL_VERSION])
        whole = (row for row in rows if len(row) == len(header))
        mine = [row for row in whole if row[places[MODEL_VERSION]] == version]
        scored = [row for row in mine if not row[places[REJECTED]]]
        predicted = {name: _floats([row[places[name]] for row in scored]) for name in given}
        if HIGHEST_PROBABILITY in outputs and given:
            predicted[HIGHEST_PROBABILITY] = np.max(list(predicted.values()), axis=0)
        yield Predicted(
            {**columns(contract, _samples(reader, scored)), **predicted}, len(scored), len(mine) - len(scored)
        )


def _samples(reader: ValueReader, rows: Sequence[Sequence[str]]) -> Samples:
    """Rows as the baseline's features were taken; nothing is known of their target."""
    read = reader.read(rows)
    numbers = read.numbers.astype(np.float32)
    return Samples(numbers, read.categories, np.full(len(numbers), np.nan, np.float32), read.texts)


def _floats(texts: Sequence[str]) -> Column:
    return np.array([float(text) if text else np.nan for text in texts], np.float32)
