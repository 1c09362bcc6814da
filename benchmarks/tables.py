"""The table that is scored: 22 numbers and 8 categories a row, drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from contract.schema import Contract, Feature, Target, Training
from tabular.samples import Samples

INTEGERS, DECIMALS, OPEN_SETS, CLOSED_SETS = 6, 16, 4, 4
BLOCK_ROWS = 50_000
ESTIMATORS = {
    "hist-gradient-boosting": {"max_iter": 100, "early_stopping": False},
    "logistic-regression": {},
}
"""The built-in estimators that are compared, with their parameters."""

_TARGET = Target(name="outcome", positive="yes")
_VALUES = tuple(f"value {i}" for i in range(12))


def contract(estimator: str) -> Contract:
    """The contract of a model that reads the table: every value is validated."""
    integers = [
        Feature(name=f"count_{i}", type="number", minimum=0, maximum=1000, missing=("?",))
        for i in range(INTEGERS)
    ]
    decimals = [Feature(name=f"measure_{i}", type="number") for i in range(DECIMALS)]
    open_sets = [Feature(name=f"place_{i}", type="category", missing=("?",)) for i in range(OPEN_SETS)]
    closed_sets = [Feature(name=f"kind_{i}", type="category", values=_VALUES) for i in range(CLOSED_SETS)]
    return Contract(
        model="benchmark",
        problem="binary",
        target=_TARGET,
        features=(*integers, *decimals, *open_sets, *closed_sets),
        training=Training(estimator=estimator, parameters=ESTIMATORS[estimator]),
    )


def draw(rows: int, seed: int) -> Samples:
    """Rows with their target: the same for the same seed."""
    random = np.random.default_rng(seed)
    integers = random.integers(0, 1000, (rows, INTEGERS))
    # Eighths are the same number in 32 bits and in 64: no row differs by that between two servers.
    decimals = (random.normal(0, 100, (rows, DECIMALS)) * 8).round() / 8
    codes = random.integers(0, len(_VALUES), (rows, OPEN_SETS + CLOSED_SETS))
    signal = decimals[:, 0] / 100 + integers[:, 0] / 500 + (codes[:, 0] % 3) + (codes[:, -1] > 8)
    likely = 1 / (1 + np.exp(2 - signal))
    return Samples(
        np.hstack([integers, decimals]).astype(np.float32),
        np.array(_VALUES, object)[codes],
        np.where(random.random(rows) < likely, "yes", "no").astype(object),
    )


def columns(samples: Samples) -> dict[str, NDArray[np.generic]]:
    """The features by name, as they are written: counts as integers, measures as decimals."""
    found: dict[str, NDArray[np.generic]] = {}
    numbers, categories = iter(samples.numbers.T), iter(samples.categories.T)
    for feature in contract("logistic-regression").features:
        if feature.type == "category":
            found[feature.name] = next(categories)
        elif feature.name.startswith("count"):
            found[feature.name] = next(numbers).astype(np.int64)
        else:
            found[feature.name] = next(numbers).astype(np.float64)
    return found


def write_csv(path: Path, rows: int, *, with_target: bool = False) -> Path:
    """A table of so many rows as CSV under a header, in bounded memory; about 175 bytes a row."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as stream:
            for seed, size in enumerate(_sizes(rows)):
                drawn = draw(size, seed)
                target = {_TARGET.name: drawn.target} if with_target else {}
                block = pa.table({**columns(drawn), **target})
                options = csv.WriteOptions(
                    include_header=seed == 0, quoting_style="none", quoting_header="none"
                )
                csv.write_csv(block, stream, options)
        unfinished.rename(path)
    return path


def _sizes(rows: int) -> Iterator[int]:
    for begin in range(0, rows, BLOCK_ROWS):
        yield min(BLOCK_ROWS, rows - begin)
