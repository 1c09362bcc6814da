"""Real tables that scikit-learn ships, written as the CSV that people upload."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Rows = list[list[Any]]


def tumors() -> tuple[list[str], Rows]:
    """Header and 569 rows of the Wisconsin breast-cancer data; the target `diagnosis` is last."""
    from sklearn.datasets import load_breast_cancer

    return _table(load_breast_cancer(), target="diagnosis", labels=True)


def cultivars() -> tuple[list[str], Rows]:
    """Header and 178 rows of the wine data; the target `cultivar` (three classes) is last."""
    from sklearn.datasets import load_wine

    return _table(load_wine(), target="cultivar", labels=True)


def progressions() -> tuple[list[str], Rows]:
    """Header and 442 rows of the diabetes data; the target `progression` (a number) is last."""
    from sklearn.datasets import load_diabetes

    return _table(load_diabetes(scaled=False), target="progression", labels=False)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write a table, its folder included, and return where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _table(bunch: Any, *, target: str, labels: bool) -> tuple[list[str], Rows]:
    header = [str(name).replace(" ", "_").replace("/", "_") for name in bunch.feature_names]
    targets = [str(bunch.target_names[i]) for i in bunch.target] if labels else bunch.target.tolist()
    rows = [[*features, answer] for features, answer in zip(bunch.data.tolist(), targets, strict=True)]
    return [*header, target], rows
