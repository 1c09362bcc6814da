"""Samples on disk, and which rows count as the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from container.errors import PlatformError
from contract.schema import Contract, Feature, Target
from tabular.rows import ValueReader
from tabular.samples import Samples, digests

FEATURES = (
    Feature(name="n", type="number"),
    Feature(name="c", type="category", missing=("?",)),
    Feature(name="e", type="category"),
)
CONTRACT = Contract(model="m", problem="binary", target=Target(name="t", positive="x"), features=FEATURES)


def digest(*row: str) -> int:
    read = ValueReader(FEATURES, ["n", "c", "e"]).read([row])
    (mark,) = digests(Samples(read.numbers.astype(np.float32), read.categories, np.array(["x"], object)))
    return mark


def test_rows_that_the_model_cannot_tell_apart_are_the_same() -> None:
    assert digest("1", "a", "") == digest(" 1.0", "a ", "")
    assert digest("0", "a", "") == digest("-0", "a", "")
    assert digest("", "?", "") == digest("", "", " ")
    assert digest("0.1", "", "") == digest("0.10000000001", "", "")


def test_other_rows_are_not() -> None:
    rows = [
        ("1", "a", "b"),
        ("1", "b", "a"),
        ("", "a", "b"),
        ("0", "a", "b"),
        ("1", "ab", ""),
        ("1", "", "ab"),
    ]
    assert len({digest(*row) for row in rows}) == len(rows)


def test_samples_survive_the_disk(tmp_path: Path) -> None:
    samples = Samples(
        np.array([[1.5], [np.nan]], np.float32),
        np.array([["é", ""], ["", "b"]], object),
        np.array(["x", "y"], object),
    )
    samples.write(tmp_path, CONTRACT)
    read = Samples.read(tmp_path, CONTRACT)
    np.testing.assert_array_equal(read.numbers, samples.numbers)
    assert read.numbers.dtype == np.float32
    assert read.categories.tolist() == samples.categories.tolist()
    assert read.target.tolist() == ["x", "y"]


def test_what_is_not_there_blames_the_platform(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="no samples of this contract in "):
        Samples.read(tmp_path, CONTRACT)
