"""The baseline and its document, `baseline.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from container.errors import PlatformError
from monitoring.baseline.bins import Bins, CategoryBins, Integers, NumberBins
from monitoring.baseline.column_statistics import Measure
from monitoring.baseline.joint_quantiles import JointNull
from monitoring.baseline.null_distribution import Null, Tail

FORMAT = 3
READABLE = (2, FORMAT)
"""Models that were trained before there was a joint null are watched by their columns' own."""
_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Reference:
    """One column as it was: its bins, their `counts`, and by size of window what it shows undisturbed.

    `mean` and `std` are of a number's known values, 0 of a category. `outcome` [bins] sums up, over the
    rows of each bin, what turned out of a prediction: see `monitoring.baseline.expected`.
    """

    bins: Bins
    counts: Integers
    nulls: Mapping[int, Null]
    mean: float = 0.0
    std: float = 0.0
    outcome: NDArray[np.float64] | None = None

    @property
    def rows(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def measure(self) -> Measure:
        return Measure.of(self.bins, self.counts, self.std)


@dataclass(frozen=True, eq=False)
class Baseline:
    """`features` as in the rows trained on, `predictions` as on the rows held out, by column.

    `joint` is the null of all of them together; models of earlier days have none.
    """

    features: Mapping[str, Reference]
    predictions: Mapping[str, Reference]
    joint: JointNull | None = None

    @property
    def columns(self) -> dict[str, Reference]:
        """Features and predictions; a result may have columns of no feature's name."""
        return {**self.features, **self.predictions}

    def count(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, Integers]:
        """A window's counts in the baseline's bins, of those columns [n] that it knows.

        A number or a datetime is float32, NaN where missing; a category is str, empty where missing.
        """
        known = self.columns
        return {name: known[name].bins.count(column) for name, column in columns.items() if name in known}

    def to_json(self) -> str:
        """The document: one line a column."""
        parts = {
            part: {name: _column(reference) for name, reference in references.items()}
            for part, references in (("features", self.features), ("predictions", self.predictions))
        }
        lines = [f'{{"format":{FORMAT}']
        for part, columns in parts.items():
            rows = [
                f"  {json.dumps(name, ensure_ascii=False)}:{_compact(of)}" for name, of in columns.items()
            ]
            lines.append(f'"{part}":{{\n' + ",\n".join(rows) + "\n}")
        if self.joint:
            lines.append(f'"joint":{_compact(self.joint.to_json())}')
        return ",\n".join(lines) + "}\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document written by `to_json`.

        Raises:
            PlatformError: it is of another format, or no baseline.
        """
        try:
            document = json.loads(text)
            if document["format"] not in READABLE:
                raise PlatformError(f"a baseline of format {FORMAT} is needed: train the model again")
            joint = JointNull.from_json(document["joint"]) if "joint" in document else None
            features, predictions = (
                {name: _reference(of) for name, of in document[part].items()}
                for part in ("features", "predictions")
            )
            return cls(features, predictions, joint)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PlatformError(f"no baseline can be read: {error!r}") from error


def _column(reference: Reference) -> dict[str, Any]:
    bins, document = reference.bins, {"counts": reference.counts.tolist()}
    if isinstance(bins, NumberBins):
        described: dict[str, Any] = {
            # As text first: 32 bits written as 64 are twice as long.
            "edges": [float(str(edge)) for edge in bins.edges],
            "exact": bins.exact,
            "mean": reference.mean,
            "std": reference.std,
        }
    else:
        described = {"values": list(bins.values)}
    nulls = {
        str(size): {
            "tests": round(null.tests, 3),
            **{
                name: [_rounded(number) for number in (tail.centre, tail.offset, tail.slope)]
                for name, tail in null.tails.items()
            },
        }
        for size, null in reference.nulls.items()
    }
    if reference.outcome is not None:
        described["outcome"] = [_rounded(total) for total in reference.outcome]
    return {**described, **document, "null": nulls}


def _reference(document: Mapping[str, Any]) -> Reference:
    bins: Bins
    if "edges" in document:
        bins = NumberBins(np.array(document["edges"], np.float32), bool(document["exact"]))
    else:
        bins = CategoryBins(tuple(document["values"]))
    nulls = {
        int(size): Null({name: Tail(*of) for name, of in null.items() if name != "tests"}, null["tests"])
        for size, null in document["null"].items()
    }
    return Reference(
        bins,
        np.array(document["counts"], np.int64),
        nulls,
        mean=document.get("mean", 0.0),
        std=document.get("std", 0.0),
        outcome=np.array(document["outcome"], np.float64) if "outcome" in document else None,
    )


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
